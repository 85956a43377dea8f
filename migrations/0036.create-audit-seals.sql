-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE audit_seals (
    number INT UNSIGNED NOT NULL COMMENT 'from 1, without a gap: of two sealers one gets it',
    sealed_at DATETIME(6) NOT NULL,
    since DATETIME(6) NOT NULL COMMENT 'entries from then on were looked for',
    entry_count INT UNSIGNED NOT NULL,
    first_at DATETIME(6) NOT NULL COMMENT 'occurred_at of the earliest entry',
    last_at DATETIME(6) NOT NULL COMMENT 'and of the latest',
    previous_sha256 BINARY(32) NOT NULL COMMENT 'of the seal before; zeros before the first',
    sha256 BINARY(32) NOT NULL COMMENT 'over all of this, and every id and hash of an entry',
    CONSTRAINT pk_audit_seals PRIMARY KEY (number)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
