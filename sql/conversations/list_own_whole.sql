-- Page through the actor's own conversations with context and settings, newest first.
--
-- The archived ones too: it is what an export takes.
--
-- returns: many Conversation
-- param:   actor_id     BINARY(16)   who asks
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  actor
-- deleted: excluded
-- index:   ix_conversations_owner_deleted, PRIMARY
-- reads:   2 * rows + 2
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
FROM conversations AS c FORCE INDEX (ix_conversations_owner_deleted)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    c.owner_id = :actor_id
    AND c.deleted_at IS NULL
    AND c.id < :before_id
ORDER BY c.id DESC
LIMIT :limit_rows
