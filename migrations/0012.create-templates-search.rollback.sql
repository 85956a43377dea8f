-- transactional: false
DROP TABLE templates_search;
