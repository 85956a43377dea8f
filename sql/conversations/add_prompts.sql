-- Put prompts back into the totals of a conversation that is locked.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   active_sequence INT UNSIGNED NULL the prompt that the next one follows; NULL is none
-- param:   message_count INT          how many live prompts
-- param:   token_count  BIGINT       tokens
-- param:   cost         DECIMAL(38,18) US dollars
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET
    message_count = message_count + :message_count,
    token_count = token_count + :token_count,
    cost = cost + :cost,
    active_sequence = COALESCE(active_sequence, :active_sequence),
    last_activity_at = GREATEST(last_activity_at, :now)
WHERE
    id = :conversation_id
    AND deleted_at IS NULL
