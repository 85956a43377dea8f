-- Find the newest seal.
--
-- returns: find AuditSeal
-- access:  system
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT
    s.number AS number,
    s.sealed_at AS sealed_at,
    s.since AS since,
    s.entry_count AS entry_count,
    s.first_at AS first_at,
    s.last_at AS last_at,
    s.previous_sha256 AS previous_sha256,
    s.sha256 AS sha256
FROM audit_seals AS s FORCE INDEX (PRIMARY)
WHERE s.number > 0
ORDER BY s.number DESC
LIMIT 1
