-- transactional: false
DROP TABLE categories;
