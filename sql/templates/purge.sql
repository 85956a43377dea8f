-- Remove a template in the actor's trash for good, with its versions and tags.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: only
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP templates.PRIMARY, X template_versions.PRIMARY, X template_tags.PRIMARY
DELETE FROM templates
WHERE
    id = :template_id
    AND owner_id = :actor_id
    AND deleted_at IS NOT NULL
