-- Take a live prompt of a locked conversation out of its variations.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET
    is_selected = FALSE,
    variation_group = NULL,
    variation_number = NULL
WHERE
    id = :prompt_id
    AND deleted_at IS NULL
