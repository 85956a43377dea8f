-- List which of some ids are those of entries.
--
-- returns: many UUID
-- param:   audit_ids    BINARY(16)   the entries
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows
-- locks:   none
SELECT a.id AS id
FROM audit_logs AS a FORCE INDEX (PRIMARY)
WHERE a.id IN :audit_ids
ORDER BY a.id ASC
LIMIT :limit_rows
