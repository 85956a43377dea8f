-- Remove prompts of locked conversations in a trash, the highest numbers of each first.
--
-- returns: affected
-- param:   conversation_ids BINARY(16)   the conversations
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: included
-- index:   uq_prompts_sequence
-- reads:   n/a: as many as are removed, and one for each conversation
-- locks:   X,REC_NOT_GAP prompts.PRIMARY, X,REC_NOT_GAP prompts.uq_prompts_sequence
DELETE FROM prompts
WHERE conversation_id IN :conversation_ids
ORDER BY
    conversation_id DESC,
    sequence_number DESC
LIMIT :limit_rows
