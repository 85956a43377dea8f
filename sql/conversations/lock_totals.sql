-- Lock the totals of a live conversation, before they are compared.
--
-- returns: find ConversationTotals
-- param:   conversation_id BINARY(16)   the conversation
-- access:  system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
SELECT
    c.message_count AS message_count,
    c.token_count AS token_count,
    c.cost AS cost
FROM conversations AS c
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
FOR UPDATE
