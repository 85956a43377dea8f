-- transactional: false
DROP TABLE conversation_participants;
