-- Page through the checkpoints from a number on, in their order.
--
-- returns: many AuditCheckpoint
-- param:   first_checkpoint INT UNSIGNED the first number
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows + 1
-- locks:   none
SELECT
    c.number AS number,
    c.purged_at AS purged_at,
    c.purged_by AS purged_by,
    c.policy AS policy,
    c.seal_number AS seal_number,
    c.entry_count AS entry_count,
    c.gone AS gone,
    c.archive_sha256 AS archive_sha256,
    c.previous_sha256 AS previous_sha256,
    c.sha256 AS sha256
FROM audit_checkpoints AS c
WHERE c.number >= :first_checkpoint
ORDER BY c.number ASC
LIMIT :limit_rows
