-- Take a prompt out of the totals of a conversation that is locked.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   sequence_number INT UNSIGNED number in the conversation, from 1
-- param:   parent_sequence INT UNSIGNED NULL number of the prompt that it follows; NULL is none
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
    message_count = message_count - 1,
    token_count = token_count - :token_count,
    cost = cost - :cost,
    active_sequence = IF(
        active_sequence = :sequence_number, :parent_sequence, active_sequence
    ),
    last_activity_at = GREATEST(last_activity_at, :now)
WHERE
    id = :conversation_id
    AND deleted_at IS NULL
