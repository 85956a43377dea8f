-- Delete live prompts of a conversation that is locked.
--
-- returns: affected
-- param:   prompt_ids   BINARY(16)   the prompts
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   rows
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts FORCE INDEX (PRIMARY)
SET
    deleted_at = :now,
    is_selected = FALSE,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id IN :prompt_ids
    AND deleted_at IS NULL
