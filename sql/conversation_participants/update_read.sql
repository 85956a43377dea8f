-- Say up to which prompt the actor has read a live conversation; it never goes back.
--
-- The conversation first, as everybody locks it.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   actor_id     BINARY(16)   who asks
-- param:   sequence_number INT UNSIGNED number in the conversation, from 1
-- param:   now          DATETIME(6)  time of the change
-- access:  participant
-- deleted: excluded
-- index:   PRIMARY
-- reads:   4
-- locks:   S,REC_NOT_GAP conversations.PRIMARY, S,REC_NOT_GAP users.PRIMARY
-- locks:   X,REC_NOT_GAP conversation_participants.PRIMARY
UPDATE conversations AS c FORCE INDEX (PRIMARY)
STRAIGHT_JOIN users AS o FORCE INDEX (PRIMARY) ON c.owner_id = o.id
    STRAIGHT_JOIN conversation_participants AS p FORCE INDEX (PRIMARY) ON c.id = p.conversation_id
SET
    p.last_read_sequence = GREATEST(p.last_read_sequence, LEAST(:sequence_number, c.last_sequence)),
    p.last_accessed_at = GREATEST(COALESCE(p.last_accessed_at, :now), :now)
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
    AND o.deleted_at IS NULL
    AND p.user_id = :actor_id
