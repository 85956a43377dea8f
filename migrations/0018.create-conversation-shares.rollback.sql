-- transactional: false
DROP TABLE conversation_shares;
