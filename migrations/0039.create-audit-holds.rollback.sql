-- transactional: false
DROP TABLE audit_holds;
