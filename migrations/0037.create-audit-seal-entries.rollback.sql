-- transactional: false
DROP TABLE audit_seal_entries;
