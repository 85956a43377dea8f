-- Delete a version of a live template of the actor; a label on it forbids that.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   version      INT UNSIGNED number of the version, from 1
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   2
-- locks:   S,REC_NOT_GAP templates.PRIMARY, X,REC_NOT_GAP template_versions.PRIMARY
DELETE v
FROM template_versions AS v
INNER JOIN templates AS t FORCE INDEX (PRIMARY) ON v.template_id = t.id
WHERE
    v.template_id = :template_id
    AND v.version = :version
    AND t.owner_id = :actor_id
    AND t.deleted_at IS NULL
