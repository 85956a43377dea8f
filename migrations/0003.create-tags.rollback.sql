-- transactional: false
DROP TABLE tags;
