-- transactional: false
DROP TABLE conversations;
