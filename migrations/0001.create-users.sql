-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE users (
    id BINARY(16) NOT NULL COMMENT 'UUIDv7, made by the client',
    email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
    COMMENT 'trimmed, NFC, lower case',
    full_name VARCHAR(100) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    deleted_at DATETIME(6) NULL,
    email_live VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
    GENERATED ALWAYS AS (IF(deleted_at IS NULL, email, NULL)) VIRTUAL
    COMMENT 'the address while the row is live, so that it is unique among the live',
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email_live UNIQUE (email_live)
    COMMENT 'users/find_by_email; an address belongs to one live user'
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
