-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE conversation_shares (
    id BINARY(16) NOT NULL COMMENT 'UUIDv7, made by the client',
    conversation_id BINARY(16) NOT NULL,
    created_by BINARY(16) NOT NULL COMMENT 'valid while this participant may share',
    token_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of 256 random bits, in the link alone',
    page_key BINARY(32) NOT NULL COMMENT 'signs the cursors of its views; is given to nobody',
    scope ENUM('link', 'users') NOT NULL COMMENT 'who has the link, or of these who is logged in',
    through_sequence INT UNSIGNED NOT NULL COMMENT 'the last prompt that it shows; 0 for none',
    expires_at DATETIME(6) NOT NULL COMMENT 'not valid from then on; at the latest when revoked',
    max_views INT UNSIGNED NULL COMMENT 'NULL: any number',
    view_count INT UNSIGNED NOT NULL,
    last_viewed_at DATETIME(6) NULL COMMENT 'NULL: never',
    revoked_at DATETIME(6) NULL COMMENT 'NULL: not revoked',
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL COMMENT 'last change of what it allows; not its views',
    CONSTRAINT pk_conversation_shares PRIMARY KEY (id),
    CONSTRAINT uq_conversation_shares_token UNIQUE (token_hash)
    COMMENT 'conversation_shares/find_open, record_view; prompts/list_by_share',
    CONSTRAINT fk_conversation_shares_conversation FOREIGN KEY (conversation_id)
    REFERENCES conversations (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_conversation_shares_created_by FOREIGN KEY (created_by) REFERENCES users (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_conversation_shares_views CHECK (view_count <= COALESCE(max_views, view_count)),
    KEY ix_conversation_shares_conversation (conversation_id, id)
    COMMENT 'conversation_shares/list_by_conversation; fk_conversation_shares_conversation',
    KEY ix_conversation_shares_creator (created_by, id)
    COMMENT 'conversation_shares/list_own, revoke_own; fk_conversation_shares_created_by',
    KEY ix_conversation_shares_expiry (expires_at)
    COMMENT 'conversation_shares/delete_expired'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
