-- Remove templates in a trash for good, versions and tags too, for retention.
--
-- The index is said: left alone, servers take ix_templates_deleted, and wait for whoever has any
-- other row of any trash locked.
--
-- returns: affected
-- param:   template_ids BINARY(16)   the templates
-- access:  system
-- deleted: only
-- index:   PRIMARY
-- reads:   2 * rows
-- locks:   X,REC_NOT_GAP template_ratings.PRIMARY, X,REC_NOT_GAP template_tags.PRIMARY
-- locks:   X,REC_NOT_GAP template_versions.PRIMARY, X,REC_NOT_GAP templates.PRIMARY
DELETE t
FROM templates AS t FORCE INDEX (PRIMARY)
WHERE
    t.id IN :template_ids
    AND t.deleted_at IS NOT NULL
