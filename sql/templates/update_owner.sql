-- Give templates that are locked to another owner; who made their versions stays a fact.
--
-- returns: affected
-- param:   template_ids BINARY(16)   the templates
-- param:   owner_id     BINARY(16)   the owner
-- param:   now          DATETIME(6)  time of the change
-- access:  system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   rows
-- locks:   S,REC_NOT_GAP users.PRIMARY, X,REC_NOT_GAP templates.PRIMARY
UPDATE templates FORCE INDEX (PRIMARY)
SET
    owner_id = :owner_id,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id IN :template_ids
    AND deleted_at IS NULL
