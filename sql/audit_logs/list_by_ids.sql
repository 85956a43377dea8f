-- List entries as they are stored, in the order of their ids.
--
-- returns: many StoredAuditEntry
-- param:   audit_ids    BINARY(16)   the entries
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows
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
WHERE a.id IN :audit_ids
ORDER BY a.id ASC
LIMIT :limit_rows
