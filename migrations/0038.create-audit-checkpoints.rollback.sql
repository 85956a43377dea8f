-- transactional: false
DROP TABLE audit_checkpoints;
