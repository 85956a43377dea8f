-- Sum the live prompts of a conversation.
--
-- returns: one ConversationTotals
-- param:   conversation_id BINARY(16)   the conversation
-- access:  system
-- deleted: excluded
-- index:   ix_prompts_conversation
-- reads:   n/a: every live prompt of the conversation
-- locks:   none
SELECT
    COUNT(*) AS message_count,
    CAST(COALESCE(SUM(q.token_count), 0) AS UNSIGNED) AS token_count,
    CAST(COALESCE(SUM(q.cost), 0) AS DECIMAL(38, 18)) AS cost
FROM prompts AS q FORCE INDEX (ix_prompts_conversation)
WHERE
    q.conversation_id = :conversation_id
    AND q.deleted_at IS NULL
