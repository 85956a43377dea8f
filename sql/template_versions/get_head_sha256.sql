-- Get the hash of the newest version of a template that is locked.
--
-- returns: value bytes
-- param:   template_id  BINARY(16)   the template
-- param:   version      INT UNSIGNED number of the version, from 1
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT v.content_sha256 AS content_sha256
FROM template_versions AS v
WHERE
    v.template_id = :template_id
    AND v.version = :version
