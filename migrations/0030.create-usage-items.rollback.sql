-- transactional: false
DROP TABLE usage_items;
