-- transactional: false
ALTER TABLE audit_logs
DROP KEY ix_audit_logs_security,
DROP KEY ix_audit_logs_occurred,
DROP COLUMN security_at,
DROP COLUMN severity,
DROP COLUMN category;
