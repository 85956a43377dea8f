-- Put templates that are locked into the trash, before they are removed.
--
-- returns: affected
-- param:   template_ids BINARY(16)   the templates
-- param:   now          DATETIME(6)  time of the change
-- access:  system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   rows
-- locks:   X,REC_NOT_GAP templates.PRIMARY
UPDATE templates FORCE INDEX (PRIMARY)
SET deleted_at = :now
WHERE
    id IN :template_ids
    AND deleted_at IS NULL
