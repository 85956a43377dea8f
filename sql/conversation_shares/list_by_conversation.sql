-- Page through the shares of a live conversation, newest first, for who may share it.
--
-- returns: many Share
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   conversation_id BINARY(16)   the conversation
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   limit_rows   INT          the most rows to give
-- access:  participant or system
-- deleted: excluded
-- index:   ix_conversation_shares_conversation, PRIMARY
-- reads:   rows + 5
-- locks:   none
SELECT STRAIGHT_JOIN
    s.id AS id,
    s.conversation_id AS conversation_id,
    s.created_by AS created_by,
    s.scope AS scope,
    s.through_sequence AS through_sequence,
    s.expires_at AS expires_at,
    s.max_views AS max_views,
    s.view_count AS view_count,
    s.last_viewed_at AS last_viewed_at,
    s.revoked_at AS revoked_at,
    s.created_at AS created_at,
    s.updated_at AS updated_at
FROM conversations AS c
INNER JOIN users AS o
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
LEFT JOIN conversation_participants AS p
    ON
        c.id = p.conversation_id
        AND p.user_id = :actor_id
        AND p.can_share = TRUE
LEFT JOIN users AS a
    ON
        p.user_id = a.id
        AND a.deleted_at IS NULL
INNER JOIN conversation_shares AS s FORCE INDEX (ix_conversation_shares_conversation)
    ON c.id = s.conversation_id
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
    AND s.id < :before_id
    AND (
        a.id IS NOT NULL
        OR :actor_is_system = TRUE
    )
ORDER BY s.id DESC
LIMIT :limit_rows
