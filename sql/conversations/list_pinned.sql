-- Page through the conversations that the actor pinned, active last first.
--
-- Their own and those of others, archived or not.
--
-- returns: many ConversationSummary
-- param:   actor_id     BINARY(16)   who asks
-- param:   before_at    DATETIME(6)  time of the last row of the page before
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  participant
-- deleted: excluded
-- index:   ix_conversation_participants_pinned, PRIMARY
-- reads:   n/a: every conversation that the actor pinned, and they are sorted
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
FROM conversation_participants AS p FORCE INDEX (ix_conversation_participants_pinned)
INNER JOIN users AS a FORCE INDEX (PRIMARY)
    ON
        p.user_id = a.id
        AND a.deleted_at IS NULL
INNER JOIN conversations AS c FORCE INDEX (PRIMARY)
    ON
        p.conversation_id = c.id
        AND c.deleted_at IS NULL
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    p.user_id = :actor_id
    AND p.is_pinned = TRUE
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
