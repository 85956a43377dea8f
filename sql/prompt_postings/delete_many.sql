-- Remove postings of conversations that are locked, in a trash.
--
-- returns: affected
-- param:   conversation_ids BINARY(16)   the conversations
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: n/a
-- index:   ix_prompt_postings_conversation
-- reads:   n/a: as many as are removed, and one for each conversation
-- locks:   X,REC_NOT_GAP prompt_postings.PRIMARY
-- locks:   X,REC_NOT_GAP prompt_postings.ix_prompt_postings_conversation
DELETE FROM prompt_postings
WHERE conversation_id IN :conversation_ids
ORDER BY
    conversation_id ASC,
    term ASC
LIMIT :limit_rows
