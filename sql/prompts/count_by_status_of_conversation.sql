-- Count the live prompts of a conversation by where they stand.
--
-- returns: many PromptsOfStatus
-- param:   conversation_id BINARY(16)   the conversation
-- access:  n/a
-- deleted: excluded
-- index:   ix_prompts_conversation
-- reads:   n/a: every live prompt of the conversation
-- locks:   none
SELECT
    q.status AS status,
    COUNT(*) AS prompts
FROM prompts AS q FORCE INDEX (ix_prompts_conversation)
WHERE
    q.conversation_id = :conversation_id
    AND q.deleted_at IS NULL
GROUP BY q.status
ORDER BY q.status
LIMIT 10
