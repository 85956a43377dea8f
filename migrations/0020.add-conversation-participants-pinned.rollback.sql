-- transactional: false
ALTER TABLE conversation_participants DROP KEY ix_conversation_participants_pinned;
