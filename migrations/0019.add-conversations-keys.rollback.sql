-- transactional: false
ALTER TABLE conversations DROP KEY ix_conversations_state, DROP KEY ix_conversations_owner_status;
