-- Give the next number of a conversation that the actor may write in, and count it.
--
-- One statement for liveness, rights, lock, number and totals: writers of one conversation wait for
-- each other here, and number and totals are never apart.
--
-- returns: last_id
-- param:   conversation_id BINARY(16)   the conversation
-- param:   actor_id     BINARY(16)   who asks
-- param:   token_count  BIGINT       tokens
-- param:   cost         DECIMAL(38,18) US dollars
-- param:   now          DATETIME(6)  time of the change
-- access:  participant
-- deleted: excluded
-- index:   PRIMARY
-- reads:   4
-- locks:   S,REC_NOT_GAP conversation_participants.PRIMARY, S,REC_NOT_GAP users.PRIMARY
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations AS c FORCE INDEX (PRIMARY)
STRAIGHT_JOIN users AS o FORCE INDEX (PRIMARY) ON c.owner_id = o.id
    STRAIGHT_JOIN conversation_participants AS p FORCE INDEX (PRIMARY) ON c.id = p.conversation_id
SET
    c.active_sequence = c.last_sequence + 1,
    c.last_sequence = LAST_INSERT_ID(c.last_sequence + 1),
    c.message_count = c.message_count + 1,
    c.token_count = c.token_count + :token_count,
    c.cost = c.cost + :cost,
    c.last_activity_at = GREATEST(c.last_activity_at, :now)
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
    AND c.archived_at IS NULL
    AND c.status IN ('active', 'paused')
    AND o.deleted_at IS NULL
    AND p.user_id = :actor_id
    AND p.can_write = TRUE
