-- transactional: false
DROP TABLE users;
