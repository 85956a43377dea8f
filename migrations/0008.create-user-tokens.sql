-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE user_tokens (
    user_id BINARY(16) NOT NULL,
    purpose ENUM('password_reset', 'email_verification') NOT NULL,
    token_hash BINARY(32) NOT NULL
    COMMENT 'SHA-256 of 256 random bits; the token itself is nowhere',
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL COMMENT 'not valid from this time on',
    CONSTRAINT pk_user_tokens PRIMARY KEY (user_id, purpose)
    COMMENT 'user_tokens/upsert; fk_user_tokens_user; a new token is in the place of the old one',
    CONSTRAINT uq_user_tokens_hash UNIQUE (token_hash)
    COMMENT 'user_tokens/find_holder, user_tokens/consume',
    CONSTRAINT fk_user_tokens_user FOREIGN KEY (user_id) REFERENCES users (id)
    ON DELETE CASCADE ON UPDATE RESTRICT
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
