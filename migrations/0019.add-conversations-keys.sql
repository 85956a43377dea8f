-- transactional: false
-- ddl: mariadb: in place, writes go on; each key costs a read of the table
-- ddl: mysql: in place, writes go on; each key costs a read of the table
ALTER TABLE conversations
ADD KEY ix_conversations_owner_status
(owner_id, status, deleted_at, archived_at, last_activity_at, id)
COMMENT 'conversations/list_own_by_status',
ADD KEY ix_conversations_state (deleted_at, archived_at, last_activity_at, id)
COMMENT 'conversations/list_purgeable, list_idle';
