-- Remove templates in a trash for good, versions and tags too, for retention.
--
-- returns: affected
-- param:   template_ids BINARY(16)   the templates
-- access:  system
-- deleted: only
-- index:   PRIMARY
-- reads:   rows
-- locks:   X,REC_NOT_GAP templates.PRIMARY, X template_versions.PRIMARY, X template_tags.PRIMARY
DELETE FROM templates
WHERE
    id IN :template_ids
    AND deleted_at IS NOT NULL
