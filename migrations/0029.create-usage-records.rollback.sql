-- transactional: false
DROP TABLE usage_records;
