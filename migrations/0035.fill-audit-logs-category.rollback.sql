-- transactional: false
UPDATE audit_logs AS a
SET
    a.category = 'data',
    a.severity = 'low';
