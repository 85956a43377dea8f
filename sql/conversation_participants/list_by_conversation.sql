-- Page through the live participants of a live conversation, the oldest account first.
--
-- returns: many Participant
-- param:   conversation_id BINARY(16)   the conversation
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   after_user_id BINARY(16) the last user of the page before
-- param:   limit_rows   INT          the most rows to give
-- access:  participant or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   2 * rows + 2 * passed + 5
-- locks:   none
SELECT STRAIGHT_JOIN
    m.conversation_id AS conversation_id,
    m.user_id AS user_id,
    u.full_name AS full_name,
    m.role AS role,
    m.can_write AS can_write,
    m.can_share AS can_share,
    m.last_read_sequence AS last_read_sequence,
    m.last_accessed_at AS last_accessed_at,
    m.added_by AS added_by,
    m.joined_at AS joined_at,
    m.updated_at AS updated_at
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
INNER JOIN conversation_participants AS m ON c.id = m.conversation_id
INNER JOIN users AS u
    ON
        m.user_id = u.id
        AND u.deleted_at IS NULL
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
    AND m.user_id > :after_user_id
    AND (
        a.id IS NOT NULL
        OR :actor_is_system = TRUE
    )
ORDER BY m.user_id ASC
LIMIT :limit_rows
