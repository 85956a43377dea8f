-- transactional: false
-- ddl: mariadb: in place, writes go on; the key costs a read of the table
-- ddl: mysql: in place, writes go on; the key costs a read of the table
ALTER TABLE conversation_participants
ADD KEY ix_conversation_participants_pinned (user_id, is_pinned, conversation_id)
COMMENT 'conversations/list_pinned';
