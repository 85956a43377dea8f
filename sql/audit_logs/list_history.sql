-- Page through the entries about one target before a time, oldest first, for the system.
--
-- returns: many AuditEntry
-- param:   target_type  VARCHAR(32)  the entity
-- param:   target_id    BINARY(16)   its id
-- param:   after_at     DATETIME(6)  time of the last row of the page before
-- param:   after_id     BINARY(16)   its id, to break ties
-- param:   until_at     DATETIME(6)  its end, not counted
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_audit_logs_target
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
FROM audit_logs AS a FORCE INDEX (ix_audit_logs_target)
WHERE
    a.target_type = :target_type
    AND a.target_id = :target_id
    AND a.occurred_at < :until_at
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
