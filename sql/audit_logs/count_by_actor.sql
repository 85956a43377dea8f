-- Count the entries of a time by actor, most entries first.
--
-- returns: many AuditActorCount
-- param:   from_at      DATETIME(6)  start of the time that is counted
-- param:   until_at     DATETIME(6)  its end, not counted
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_audit_logs_occurred
-- reads:   n/a: the entries of the time that is asked for
-- locks:   none
SELECT
    a.actor_type AS actor_type,
    a.actor_id AS actor_id,
    a.actor_name AS actor_name,
    COUNT(*) AS entries
FROM audit_logs AS a FORCE INDEX (ix_audit_logs_occurred)
WHERE
    a.occurred_at >= :from_at
    AND a.occurred_at < :until_at
GROUP BY
    a.actor_type,
    a.actor_id,
    a.actor_name
ORDER BY
    entries DESC,
    a.actor_type ASC,
    a.actor_id ASC,
    a.actor_name ASC
LIMIT :limit_rows
