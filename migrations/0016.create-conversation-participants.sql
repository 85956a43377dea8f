-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE conversation_participants (
    conversation_id BINARY(16) NOT NULL,
    user_id BINARY(16) NOT NULL,
    role ENUM('owner', 'collaborator', 'viewer') NOT NULL,
    can_write BOOLEAN NOT NULL COMMENT 'prompts, title, settings, status',
    can_share BOOLEAN NOT NULL COMMENT 'links for others',
    is_pinned BOOLEAN NOT NULL COMMENT 'first in the lists of this user',
    last_read_sequence INT UNSIGNED NOT NULL COMMENT 'the last prompt that was read; 0 for none',
    last_accessed_at DATETIME(6) NULL COMMENT 'NULL: never opened',
    added_by BINARY(16) NOT NULL,
    joined_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL COMMENT 'last change of role or permissions',
    owned_id BINARY(16) GENERATED ALWAYS AS (IF(role = 'owner', conversation_id, NULL)) VIRTUAL
    COMMENT 'the conversation of its owner, so that there is one at most',
    CONSTRAINT pk_conversation_participants PRIMARY KEY (conversation_id, user_id),
    CONSTRAINT uq_conversation_participants_owned UNIQUE (owned_id)
    COMMENT 'one owner of a conversation',
    CONSTRAINT fk_conversation_participants_conversation FOREIGN KEY (conversation_id)
    REFERENCES conversations (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_conversation_participants_user FOREIGN KEY (user_id) REFERENCES users (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_conversation_participants_added_by FOREIGN KEY (added_by) REFERENCES users (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_conversation_participants_viewer CHECK (role <> 'viewer' OR can_write = 0),
    CONSTRAINT ck_conversation_participants_owner
    CHECK (role <> 'owner' OR (can_write = 1 AND can_share = 1)),
    KEY ix_conversation_participants_user (user_id, role, conversation_id)
    COMMENT 'conversations/list_shared; fk_conversation_participants_user',
    KEY ix_conversation_participants_added_by (added_by)
    COMMENT 'fk_conversation_participants_added_by'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
