-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE audit_seal_entries (
    audit_id BINARY(16) NOT NULL COMMENT 'no foreign key: it outlives the entry',
    seal_number INT UNSIGNED NOT NULL,
    sha256 BINARY(32) NOT NULL COMMENT 'over the canonical text of the entry',
    CONSTRAINT pk_audit_seal_entries PRIMARY KEY (audit_id),
    KEY ix_audit_seal_entries_seal (seal_number, audit_id)
    COMMENT 'audit_seal_entries/list_by_seals'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
