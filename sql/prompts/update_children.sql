-- Have the live prompts that follow one follow another one, under a lock.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   sequence_number INT UNSIGNED number in the conversation, from 1
-- param:   parent_sequence INT UNSIGNED NULL number of the prompt that it follows; NULL is none
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   ix_prompts_parent
-- reads:   n/a: twice what is changed, and on MySQL what the foreign key asks
-- locks:   S,REC_NOT_GAP prompts.uq_prompts_sequence, X,REC_NOT_GAP prompts.PRIMARY
-- locks:   X,REC_NOT_GAP prompts.ix_prompts_parent
UPDATE prompts FORCE INDEX (ix_prompts_parent)
SET
    parent_sequence = :parent_sequence,
    updated_at = GREATEST(updated_at, :now)
WHERE
    conversation_id = :conversation_id
    AND parent_sequence = :sequence_number
    AND deleted_at IS NULL
