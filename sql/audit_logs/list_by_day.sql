-- Count the entries by local day.
--
-- The time that is asked for is one in which local time is ahead of UTC by the same number of
-- seconds: who calls cuts it where the clocks change. Days without an entry give no row.
--
-- returns: many AuditDayCount
-- param:   from_at      DATETIME(6)  start of the time that is counted
-- param:   until_at     DATETIME(6)  its end, not counted
-- param:   utc_offset_s INT          seconds that local time is ahead of UTC
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_audit_logs_occurred
-- reads:   n/a: the entries of the time that is asked for
-- locks:   none
SELECT
    COALESCE(
        DATE(DATE_ADD(a.occurred_at, INTERVAL CAST(:utc_offset_s AS SIGNED) SECOND)),
        DATE '1000-01-01'
    ) AS day,
    COUNT(*) AS entries
FROM audit_logs AS a FORCE INDEX (ix_audit_logs_occurred)
WHERE
    a.occurred_at >= :from_at
    AND a.occurred_at < :until_at
GROUP BY day
ORDER BY day ASC
LIMIT :limit_rows
