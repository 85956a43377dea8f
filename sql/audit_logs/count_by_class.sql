-- Count the entries of a time by category, severity and outcome.
--
-- returns: many AuditClassCount
-- param:   from_at      DATETIME(6)  start of the time that is counted
-- param:   until_at     DATETIME(6)  its end, not counted
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_audit_logs_occurred
-- reads:   n/a: the entries of the time that is asked for
-- locks:   none
SELECT
    a.category AS category,
    a.severity AS severity,
    a.outcome AS outcome,
    COUNT(*) AS entries
FROM audit_logs AS a FORCE INDEX (ix_audit_logs_occurred)
WHERE
    a.occurred_at >= :from_at
    AND a.occurred_at < :until_at
GROUP BY
    a.category,
    a.severity,
    a.outcome
ORDER BY
    a.category ASC,
    a.severity ASC,
    a.outcome ASC
LIMIT :limit_rows
