-- transactional: false
DROP TABLE user_tokens;
