-- transactional: false
-- ddl: mariadb: in place, writes go on; the two keys cost a read of the table
-- ddl: mysql: in place, writes go on; the two keys cost a read of the table
ALTER TABLE audit_logs
ADD COLUMN category ENUM(
    'authentication', 'access', 'data', 'disclosure', 'maintenance', 'application'
) NOT NULL DEFAULT 'data' COMMENT 'what kind of action; by the action',
ADD COLUMN severity ENUM('low', 'medium', 'high', 'critical') NOT NULL DEFAULT 'low'
COMMENT 'by the action, and how it ended',
ADD COLUMN security_at DATETIME(6) GENERATED ALWAYS AS (
    CASE
        WHEN
            category = 'authentication' OR severity IN ('high', 'critical') OR outcome = 'denied'
            THEN occurred_at
    END
) VIRTUAL COMMENT 'occurred_at of what the security log lists; so its key holds nothing else',
ADD KEY ix_audit_logs_occurred (occurred_at, id) COMMENT 'audit_logs/list_by_day, the search',
ADD KEY ix_audit_logs_security (security_at, id) COMMENT 'audit_logs/list_security';
