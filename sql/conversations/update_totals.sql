-- Write the totals of a conversation anew, as they were summed.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   message_count INT          how many live prompts
-- param:   token_count  BIGINT       tokens
-- param:   cost         DECIMAL(38,18) US dollars
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET
    message_count = :message_count,
    token_count = :token_count,
    cost = :cost
WHERE
    id = :conversation_id
    AND deleted_at IS NULL
