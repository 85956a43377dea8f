-- Remove prompts of a locked conversation in the trash, the highest numbers first.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: included
-- index:   uq_prompts_sequence
-- reads:   n/a: as many as are removed, and the conversation
-- locks:   X,REC_NOT_GAP prompts.PRIMARY, X,REC_NOT_GAP prompts.ix_prompts_parent
-- locks:   X,REC_NOT_GAP prompts.uq_prompts_sequence
DELETE FROM prompts
WHERE conversation_id = :conversation_id
ORDER BY sequence_number DESC
LIMIT :limit_rows
