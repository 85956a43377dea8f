-- transactional: false
DROP TABLE usage_days;
