-- Page through the entries of a stretch that have no seal, oldest first.
--
-- returns: many UnsealedEntry
-- param:   after_at     DATETIME(6)  time of the last row of the page before
-- param:   after_id     BINARY(16)   its id, to break ties
-- param:   window_at    DATETIME(6)  time of the last entry of the stretch
-- param:   window_id    BINARY(16)   its id, which is still looked at
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_audit_logs_occurred, PRIMARY
-- reads:   n/a: the entries of the stretch, and their seals
-- locks:   none
SELECT
    a.id AS id,
    a.occurred_at AS occurred_at
FROM audit_logs AS a FORCE INDEX (ix_audit_logs_occurred)
LEFT JOIN audit_seal_entries AS e FORCE INDEX (PRIMARY)
    ON a.id = e.audit_id
WHERE
    e.audit_id IS NULL
    AND (
        a.occurred_at > :after_at
        OR (
            a.occurred_at = :after_at
            AND a.id > :after_id
        )
    )
    AND (
        a.occurred_at < :window_at
        OR (
            a.occurred_at = :window_at
            AND a.id <= :window_id
        )
    )
ORDER BY
    a.occurred_at ASC,
    a.id ASC
LIMIT :limit_rows
