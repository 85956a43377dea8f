-- Find the newest checkpoint.
--
-- returns: find AuditCheckpoint
-- access:  system
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
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
FROM audit_checkpoints AS c FORCE INDEX (PRIMARY)
WHERE c.number > 0
ORDER BY c.number DESC
LIMIT 1
