-- Lock a live conversation, and what the actor may do in it, before it is changed.
--
-- The owner is read without a lock: who deletes a user locks none of their conversations.
--
-- returns: find ConversationRow
-- param:   conversation_id BINARY(16)   the conversation
-- param:   actor_id     BINARY(16)   who asks
-- access:  participant
-- deleted: excluded
-- index:   PRIMARY
-- reads:   3
-- locks:   X,REC_NOT_GAP conversation_participants.PRIMARY, X,REC_NOT_GAP conversations.PRIMARY
SELECT STRAIGHT_JOIN
    c.id AS id,
    c.owner_id AS owner_id,
    c.title AS title,
    c.description AS description,
    c.context AS context,
    c.settings AS settings,
    c.status AS status,
    c.archived_at AS archived_at,
    c.last_sequence AS last_sequence,
    c.active_sequence AS active_sequence,
    c.updated_at AS updated_at,
    p.role AS role,
    p.can_write AS can_write,
    p.can_share AS can_share
FROM conversations AS c
INNER JOIN conversation_participants AS p ON c.id = p.conversation_id
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
    AND p.user_id = :actor_id
    AND EXISTS (
        SELECT 1
        FROM users AS o
        WHERE
            o.id = c.owner_id
            AND o.deleted_at IS NULL
    )
FOR UPDATE
