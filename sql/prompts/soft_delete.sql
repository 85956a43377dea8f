-- Delete a live prompt that is locked.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET
    deleted_at = :now,
    is_selected = FALSE,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :prompt_id
    AND deleted_at IS NULL
