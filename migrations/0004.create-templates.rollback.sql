-- transactional: false
DROP TABLE templates;
