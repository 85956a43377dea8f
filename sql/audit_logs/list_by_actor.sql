-- Page through the actor's own entries, newest first.
--
-- returns: many AuditEntry
-- param:   actor_id     BINARY(16)   who asks
-- param:   before_at    DATETIME(6)  time of the last row of the page before
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  actor
-- deleted: n/a
-- index:   ix_audit_logs_actor
-- reads:   rows + 1
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
FROM audit_logs AS a
WHERE
    a.actor_id = :actor_id
    AND (
        a.occurred_at < :before_at
        OR (
            a.occurred_at = :before_at
            AND a.id < :before_id
        )
    )
ORDER BY
    a.occurred_at DESC,
    a.id DESC
LIMIT :limit_rows
