-- Page through the actor's own conversations active since a time, active last first.
--
-- Those that are archived are left out.
--
-- returns: many ConversationSummary
-- param:   actor_id     BINARY(16)   who asks
-- param:   since_at     DATETIME(6)  with something said at this time or later
-- param:   before_at    DATETIME(6)  time of the last row of the page before
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  actor
-- deleted: excluded
-- index:   ix_conversations_owner_activity, PRIMARY
-- reads:   3 * rows + 2
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
FROM conversations AS c FORCE INDEX (ix_conversations_owner_activity)
INNER JOIN users AS o
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN conversation_participants AS p
    ON
        c.id = p.conversation_id
        AND c.owner_id = p.user_id
WHERE
    c.owner_id = :actor_id
    AND c.deleted_at IS NULL
    AND c.archived_at IS NULL
    AND c.last_activity_at >= :since_at
    AND (
        c.last_activity_at < :before_at
        OR (
            c.last_activity_at = :before_at
            AND c.id < :before_id
        )
    )
ORDER BY
    c.last_activity_at DESC,
    c.id DESC
LIMIT :limit_rows
