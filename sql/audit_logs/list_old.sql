-- Page through the entries before a time, oldest first, for retention.
--
-- returns: many OldAuditEntry
-- param:   until_at     DATETIME(6)  its end, not counted
-- param:   after_at     DATETIME(6)  time of the last row of the page before
-- param:   after_id     BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_audit_logs_occurred, PRIMARY
-- reads:   3 * rows + 1
-- locks:   none
SELECT
    a.id AS id,
    a.occurred_at AS occurred_at,
    a.category AS category,
    a.severity AS severity,
    a.actor_id AS actor_id,
    a.target_type AS target_type,
    a.target_id AS target_id,
    e.seal_number AS seal_number
FROM audit_logs AS a FORCE INDEX (ix_audit_logs_occurred)
LEFT JOIN audit_seal_entries AS e FORCE INDEX (PRIMARY)
    ON a.id = e.audit_id
WHERE
    a.occurred_at < :until_at
    AND (
        a.occurred_at > :after_at
        OR (
            a.occurred_at = :after_at
            AND a.id > :after_id
        )
    )
ORDER BY
    a.occurred_at ASC,
    a.id ASC
LIMIT :limit_rows
