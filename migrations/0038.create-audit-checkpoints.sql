-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE audit_checkpoints (
    number INT UNSIGNED NOT NULL COMMENT 'from 1, without a gap',
    purged_at DATETIME(6) NOT NULL,
    purged_by VARCHAR(100) NOT NULL COMMENT 'name of the system actor',
    policy TEXT NOT NULL COMMENT 'canonical JSON: what was kept for how long',
    seal_number INT UNSIGNED NOT NULL COMMENT 'whose entries were removed',
    entry_count INT UNSIGNED NOT NULL COMMENT 'how many of them, by this',
    gone VARBINARY(1250) NOT NULL COMMENT 'a bit an entry of the seal, by id: it is not there',
    archive_sha256 BINARY(32) NULL COMMENT 'of the lines that were kept elsewhere',
    previous_sha256 BINARY(32) NOT NULL COMMENT 'of the checkpoint before; zeros before the first',
    sha256 BINARY(32) NOT NULL COMMENT 'over all of this',
    CONSTRAINT pk_audit_checkpoints PRIMARY KEY (number),
    KEY ix_audit_checkpoints_seal (seal_number, number)
    COMMENT 'audit_checkpoints/list_by_seals'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
