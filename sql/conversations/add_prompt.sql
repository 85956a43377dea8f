-- Put a prompt back into the totals of a conversation that is locked.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   token_count  BIGINT       tokens
-- param:   cost         DECIMAL(20,10) US dollars
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET
    message_count = message_count + 1,
    token_count = token_count + :token_count,
    cost = cost + :cost,
    last_activity_at = GREATEST(last_activity_at, :now)
WHERE
    id = :conversation_id
    AND deleted_at IS NULL
