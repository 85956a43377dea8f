-- Read the conversations that a search found, as far as the actor takes part in them.
--
-- returns: many ConversationSummary
-- param:   actor_id     BINARY(16)   who asks
-- param:   conversation_ids BINARY(16)   the conversations
-- access:  participant
-- deleted: excluded
-- index:   PRIMARY
-- reads:   n/a: four for each id that is given
-- locks:   none
SELECT STRAIGHT_JOIN
    c.id AS id,
    c.owner_id AS owner_id,
    c.title AS title,
    c.description AS description,
    c.status AS status,
    c.archived_at AS archived_at,
    c.last_activity_at AS last_activity_at,
    c.last_sequence AS last_sequence,
    c.message_count AS message_count,
    c.token_count AS token_count,
    c.cost AS cost,
    c.created_at AS created_at,
    c.updated_at AS updated_at,
    c.deleted_at AS deleted_at,
    p.role AS role,
    p.is_pinned AS is_pinned,
    c.last_sequence - p.last_read_sequence AS unread_count
FROM conversations AS c FORCE INDEX (PRIMARY)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN conversation_participants AS p FORCE INDEX (PRIMARY)
    ON
        c.id = p.conversation_id
        AND p.user_id = :actor_id
INNER JOIN users AS a FORCE INDEX (PRIMARY)
    ON
        p.user_id = a.id
        AND a.deleted_at IS NULL
WHERE
    c.id IN :conversation_ids
    AND c.deleted_at IS NULL
ORDER BY c.id ASC
LIMIT 500
