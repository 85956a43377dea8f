-- Find the number of the newest version of a locked template before another one.
--
-- returns: find int
-- param:   template_id  BINARY(16)   the template
-- param:   before_version INT UNSIGNED version of the last row of the page before
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT v.version AS version
FROM template_versions AS v
WHERE
    v.template_id = :template_id
    AND v.version < :before_version
ORDER BY v.version DESC
LIMIT 1
