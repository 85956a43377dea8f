-- Remove a template in the actor's trash for good, with its versions and tags.
--
-- The index is said: left alone, MariaDB may look through the owner's trash, or everybody's.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: only
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP template_ratings.PRIMARY, X,REC_NOT_GAP template_tags.PRIMARY
-- locks:   X,REC_NOT_GAP template_versions.PRIMARY, X,REC_NOT_GAP templates.PRIMARY
DELETE t
FROM templates AS t FORCE INDEX (PRIMARY)
WHERE
    t.id = :template_id
    AND t.owner_id = :actor_id
    AND t.deleted_at IS NOT NULL
