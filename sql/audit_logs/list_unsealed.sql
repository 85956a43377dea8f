-- Page through the entries from a time on that have no seal, oldest first.
--
-- An entry whose transaction ends after later ones were sealed is found by the next run: that is
-- what since is for, and why it lies back in time.
--
-- returns: many StoredAuditEntry
-- param:   since        DATETIME(6)  earlier entries are not looked for
-- param:   after_at     DATETIME(6)  time of the last row of the page before
-- param:   after_id     BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_audit_logs_occurred, PRIMARY
-- reads:   n/a: the entries from that time on, and their seals
-- locks:   none
SELECT
    a.id AS id,
    a.occurred_at AS occurred_at,
    a.actor_type AS actor_type,
    a.actor_id AS actor_id,
    a.actor_name AS actor_name,
    a.action AS action,
    a.target_type AS target_type,
    a.target_id AS target_id,
    a.outcome AS outcome,
    a.affected AS affected,
    a.changes AS changes,
    a.request_id AS request_id,
    a.ip AS ip,
    a.user_agent AS user_agent,
    a.category AS category,
    a.severity AS severity
FROM audit_logs AS a FORCE INDEX (ix_audit_logs_occurred)
LEFT JOIN audit_seal_entries AS e FORCE INDEX (PRIMARY)
    ON a.id = e.audit_id
WHERE
    e.audit_id IS NULL
    AND a.occurred_at >= :since
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
