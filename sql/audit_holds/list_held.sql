-- Page through the holds that were not released, newest first.
--
-- returns: many AuditHold
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_audit_holds_released
-- reads:   rows + 1
-- locks:   none
SELECT
    h.id AS id,
    h.actor_id AS actor_id,
    h.target_type AS target_type,
    h.target_id AS target_id,
    h.reason AS reason,
    h.placed_at AS placed_at
FROM audit_holds AS h FORCE INDEX (ix_audit_holds_released)
WHERE
    h.released_at IS NULL
    AND h.id < :before_id
ORDER BY h.id DESC
LIMIT :limit_rows
