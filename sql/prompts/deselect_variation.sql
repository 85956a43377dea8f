-- Have none of the variations of a locked conversation selected.
--
-- returns: affected
-- param:   group_id     BINARY(16)   the group of variations
-- access:  n/a
-- deleted: included
-- index:   uq_prompts_selected
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY, X,REC_NOT_GAP prompts.uq_prompts_selected
UPDATE prompts
SET is_selected = FALSE
WHERE selected_group = :group_id
