-- Have a live prompt of a locked conversation be the first of its variations.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   group_id     BINARY(16)   the group of variations
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET
    variation_group = :group_id,
    variation_number = 1,
    is_selected = TRUE
WHERE
    id = :prompt_id
    AND variation_group IS NULL
    AND deleted_at IS NULL
