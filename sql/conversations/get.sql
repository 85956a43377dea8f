-- Get a live conversation, if the actor takes part in it.
--
-- returns: one Conversation
-- param:   conversation_id BINARY(16)   the conversation
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- access:  participant or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   4
-- locks:   none
SELECT
    c.id AS id,
    c.owner_id AS owner_id,
    c.title AS title,
    c.description AS description,
    c.status AS status,
    c.archived_at AS archived_at,
    c.last_activity_at AS last_activity_at,
    c.last_sequence AS last_sequence,
    c.active_sequence AS active_sequence,
    c.message_count AS message_count,
    c.token_count AS token_count,
    c.cost AS cost,
    c.created_at AS created_at,
    c.updated_at AS updated_at,
    c.deleted_at AS deleted_at,
    c.context AS context,
    c.settings AS settings,
    c.forked_from_id AS forked_from_id,
    c.forked_from_sequence AS forked_from_sequence
FROM conversations AS c
INNER JOIN users AS o
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
LEFT JOIN conversation_participants AS p
    ON
        c.id = p.conversation_id
        AND p.user_id = :actor_id
LEFT JOIN users AS a
    ON
        p.user_id = a.id
        AND a.deleted_at IS NULL
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
    AND (
        a.id IS NOT NULL
        OR :actor_is_system = TRUE
    )
