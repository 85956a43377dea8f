-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE audit_holds (
    id BINARY(16) NOT NULL COMMENT 'UUIDv7, made by the client',
    actor_id BINARY(16) NULL COMMENT 'entries of this actor; NULL is of everybody',
    target_type VARCHAR(32) NULL COMMENT 'entries about this; NULL is about everything',
    target_id BINARY(16) NULL,
    reason VARCHAR(500) NOT NULL,
    placed_at DATETIME(6) NOT NULL,
    released_at DATETIME(6) NULL COMMENT 'NULL holds',
    CONSTRAINT pk_audit_holds PRIMARY KEY (id),
    KEY ix_audit_holds_released (released_at, id) COMMENT 'audit_holds/list_held'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
