-- List the entries of some seals that follow each other, by seal and id.
--
-- returns: many SealedEntry
-- param:   first_seal   INT UNSIGNED the first number
-- param:   last_seal    INT UNSIGNED the last number
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_audit_seal_entries_seal
-- reads:   rows + 1
-- locks:   none
SELECT
    e.seal_number AS seal_number,
    e.audit_id AS audit_id,
    e.sha256 AS sha256
FROM audit_seal_entries AS e FORCE INDEX (ix_audit_seal_entries_seal)
WHERE
    e.seal_number >= :first_seal
    AND e.seal_number <= :last_seal
ORDER BY
    e.seal_number ASC,
    e.audit_id ASC
LIMIT :limit_rows
