-- Select a live prompt of a locked conversation among its variations.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET is_selected = TRUE
WHERE
    id = :prompt_id
    AND variation_group IS NOT NULL
    AND deleted_at IS NULL
