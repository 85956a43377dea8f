-- Pin a live conversation that the actor takes part in, or let it go.
--
-- The conversation first, as everybody locks it.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   actor_id     BINARY(16)   who asks
-- param:   is_pinned    BOOLEAN      first in the lists of this user
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
    p.is_pinned = :is_pinned
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
    AND o.deleted_at IS NULL
    AND p.user_id = :actor_id
