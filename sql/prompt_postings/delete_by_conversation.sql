-- Remove postings of a conversation that is locked, in a trash.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: n/a
-- index:   ix_prompt_postings_conversation
-- reads:   n/a: as many as are removed, and the conversation
-- locks:   X,REC_NOT_GAP prompt_postings.PRIMARY
-- locks:   X,REC_NOT_GAP prompt_postings.ix_prompt_postings_conversation
DELETE FROM prompt_postings
WHERE conversation_id = :conversation_id
ORDER BY term ASC
LIMIT :limit_rows
