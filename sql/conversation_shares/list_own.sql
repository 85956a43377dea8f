-- Page through the shares that the actor created, newest first.
--
-- Those of conversations in the trash are left out: they are revoked.
--
-- returns: many Share
-- param:   actor_id     BINARY(16)   who asks
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  actor
-- deleted: excluded
-- index:   ix_conversation_shares_creator, PRIMARY
-- reads:   4 * rows + 3 * passed + 3
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
FROM conversation_shares AS s FORCE INDEX (ix_conversation_shares_creator)
INNER JOIN users AS u FORCE INDEX (PRIMARY)
    ON
        s.created_by = u.id
        AND u.deleted_at IS NULL
INNER JOIN conversations AS c FORCE INDEX (PRIMARY)
    ON
        s.conversation_id = c.id
        AND c.deleted_at IS NULL
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    s.created_by = :actor_id
    AND s.id < :before_id
ORDER BY s.id DESC
LIMIT :limit_rows
