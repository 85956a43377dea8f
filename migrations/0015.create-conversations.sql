-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE conversations (
    id BINARY(16) NOT NULL COMMENT 'UUIDv7, made by the client',
    owner_id BINARY(16) NOT NULL COMMENT 'the user whose participant row says owner',
    title VARCHAR(255) NOT NULL,
    description TEXT NULL,
    context JSON NOT NULL COMMENT 'an object: what every prompt of it is told',
    settings JSON NOT NULL COMMENT 'an object: model, temperature and the like',
    status ENUM('active', 'paused', 'completed') NOT NULL,
    archived_at DATETIME(6) NULL COMMENT 'NULL: in the lists; archived is not deleted',
    last_activity_at DATETIME(6) NOT NULL COMMENT 'never goes back',
    last_sequence INT UNSIGNED NOT NULL COMMENT 'the highest number given to a prompt',
    message_count INT UNSIGNED NOT NULL COMMENT 'live prompts',
    token_count BIGINT UNSIGNED NOT NULL COMMENT 'of live prompts',
    cost DECIMAL(20, 10) NOT NULL COMMENT 'of live prompts',
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL COMMENT 'last change of the conversation; not of its prompts',
    deleted_at DATETIME(6) NULL,
    CONSTRAINT pk_conversations PRIMARY KEY (id),
    CONSTRAINT fk_conversations_owner FOREIGN KEY (owner_id) REFERENCES users (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    KEY ix_conversations_owner (owner_id)
    COMMENT 'fk_conversations_owner: MySQL checks none by a key with a column that may be NULL',
    KEY ix_conversations_owner_activity (owner_id, deleted_at, archived_at, last_activity_at, id)
    COMMENT 'conversations/list_own, list_archived, count_own',
    KEY ix_conversations_owner_deleted (owner_id, deleted_at, id)
    COMMENT 'conversations/list_trash, count_trash'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
