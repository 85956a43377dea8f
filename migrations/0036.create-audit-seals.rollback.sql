-- transactional: false
DROP TABLE audit_seals;
