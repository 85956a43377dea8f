-- Page through the seals from a number on, in their order.
--
-- returns: many AuditSeal
-- param:   first_seal   INT UNSIGNED the first number
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows + 1
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
FROM audit_seals AS s
WHERE s.number >= :first_seal
ORDER BY s.number ASC
LIMIT :limit_rows
