-- List the live prompts from a number on; their conversation is locked.
--
-- returns: many PromptPlace
-- param:   conversation_id BINARY(16)   the conversation
-- param:   after_sequence INT          number of the last row of the page before
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: excluded
-- index:   ix_prompts_conversation
-- reads:   rows + 1
-- locks:   none
SELECT
    q.id AS id,
    q.author_id AS author_id,
    q.sequence_number AS sequence_number,
    q.parent_sequence AS parent_sequence,
    q.token_count AS token_count,
    q.cost AS cost
FROM prompts AS q FORCE INDEX (ix_prompts_conversation)
WHERE
    q.conversation_id = :conversation_id
    AND q.deleted_at IS NULL
    AND q.sequence_number > :after_sequence
ORDER BY q.sequence_number ASC
LIMIT :limit_rows
