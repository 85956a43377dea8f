-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE audit_logs (
    id BINARY(16) NOT NULL COMMENT 'UUIDv7, made by the client',
    occurred_at DATETIME(6) NOT NULL COMMENT 'the time of the change itself',
    actor_type ENUM('user', 'system', 'anonymous') NOT NULL,
    actor_id BINARY(16) NULL COMMENT 'no foreign key: the entry outlives the user',
    actor_name VARCHAR(100) NULL COMMENT 'name of a system actor',
    action VARCHAR(64) NOT NULL COMMENT 'dotted verb: template.create',
    target_type VARCHAR(32) NOT NULL,
    target_id BINARY(16) NULL COMMENT 'NULL for a bulk change',
    outcome ENUM('success', 'denied', 'failure') NOT NULL,
    affected INT UNSIGNED NOT NULL COMMENT 'how many targets were changed',
    changes MEDIUMTEXT NOT NULL COMMENT 'canonical JSON, redacted, kept as it was written',
    request_id VARCHAR(64) NULL,
    ip VARCHAR(45) NULL,
    user_agent VARCHAR(255) NULL,
    CONSTRAINT pk_audit_logs PRIMARY KEY (id),
    KEY ix_audit_logs_target (target_type, target_id, occurred_at, id)
    COMMENT 'audit_logs/list_by_target',
    KEY ix_audit_logs_actor (actor_id, occurred_at, id) COMMENT 'audit_logs/list_by_actor'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
