-- transactional: false
DROP TABLE audit_logs;
