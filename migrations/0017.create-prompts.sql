-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE prompts (
    id BINARY(16) NOT NULL COMMENT 'UUIDv7, made by the client',
    conversation_id BINARY(16) NOT NULL,
    author_id BINARY(16) NOT NULL COMMENT 'the participant who asked',
    sequence_number INT UNSIGNED NOT NULL
    COMMENT 'from 1, in the order of commits; that of a deleted one is not given again',
    user_input MEDIUMTEXT NOT NULL,
    response MEDIUMTEXT NULL,
    token_count BIGINT UNSIGNED NOT NULL,
    cost DECIMAL(20, 10) NOT NULL COMMENT 'US dollars',
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    deleted_at DATETIME(6) NULL,
    CONSTRAINT pk_prompts PRIMARY KEY (id),
    CONSTRAINT uq_prompts_sequence UNIQUE (conversation_id, sequence_number)
    COMMENT 'one number of a conversation is of one prompt; fk_prompts_conversation',
    CONSTRAINT fk_prompts_conversation FOREIGN KEY (conversation_id) REFERENCES conversations (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_prompts_author FOREIGN KEY (author_id) REFERENCES users (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    KEY ix_prompts_conversation (conversation_id, deleted_at, sequence_number)
    COMMENT 'prompts/list_by_conversation, sum_by_conversation',
    KEY ix_prompts_author (author_id) COMMENT 'fk_prompts_author'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
