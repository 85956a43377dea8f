-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE users (
    id BINARY(16) NOT NULL COMMENT 'UUIDv7, made by the client',
    email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
    COMMENT 'trimmed, NFC, lower case',
    full_name VARCHAR(100) NOT NULL,
    role ENUM('admin', 'user', 'viewer') NOT NULL,
    is_active BOOLEAN NOT NULL COMMENT 'FALSE: may not log in, and counts as no admin',
    email_verified_at DATETIME(6) NULL COMMENT 'NULL: nobody has shown that the address is theirs',
    password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL
    COMMENT 'argon2id, PHC string; NULL: no password, so no log-in by one',
    credentials_changed_at DATETIME(6) NOT NULL
    COMMENT 'last change of password, role or activity; what was issued before is to be refused',
    failed_logins INT UNSIGNED NOT NULL
    COMMENT 'since the last log-in, or since the last lock ended',
    locked_until DATETIME(6) NULL COMMENT 'no log-in before this time',
    last_login_at DATETIME(6) NULL,
    preferences JSON NOT NULL COMMENT 'an object, at most 16 KiB and 8 levels as we write it',
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL COMMENT 'last change of the account; not of log-ins',
    deleted_at DATETIME(6) NULL,
    email_live VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
    GENERATED ALWAYS AS (IF(deleted_at IS NULL, email, NULL)) VIRTUAL
    COMMENT 'the address while the row is live, so that it is unique among the live',
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email_live UNIQUE (email_live)
    COMMENT 'users/find_by_email, find_account; search by address; an address is of one live user',
    KEY ix_users_email (email) COMMENT 'users/list_by_email_including_deleted',
    KEY ix_users_created (deleted_at, created_at, id)
    COMMENT 'users/count_all, list_new_by_day, find_window_end; list of all, search within words',
    KEY ix_users_role (deleted_at, role, created_at, id)
    COMMENT 'users/lock_admins; the list by role',
    KEY ix_users_activity (deleted_at, is_active, created_at, id)
    COMMENT 'the list by activity',
    KEY ix_users_name (deleted_at, full_name, id) COMMENT 'the search by name'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
