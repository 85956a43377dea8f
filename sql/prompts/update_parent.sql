-- Have a prompt that is locked, live or deleted, follow another one.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   parent_sequence INT UNSIGNED NULL number of the prompt that it follows; NULL is none
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: included
-- index:   PRIMARY
-- reads:   n/a: the prompt, and on MySQL what the foreign key asks
-- locks:   S,REC_NOT_GAP prompts.uq_prompts_sequence, X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET
    parent_sequence = :parent_sequence,
    updated_at = GREATEST(updated_at, :now)
WHERE id = :prompt_id
