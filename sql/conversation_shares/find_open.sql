-- Find what a valid token opens; whether views are left is not asked.
--
-- It is valid while the conversation and its owner are live, and who created it may share it.
--
-- returns: find OpenShareRow
-- param:   token_hash   BINARY(32)   SHA-256 of the token
-- param:   now          DATETIME(6)  time of the change
-- param:   viewer_id    BINARY(16) NULL who opens it, if logged in; NULL is nobody
-- access:  token
-- deleted: excluded
-- index:   uq_conversation_shares_token, PRIMARY
-- reads:   6
-- locks:   none
SELECT STRAIGHT_JOIN
    s.id AS id,
    s.conversation_id AS conversation_id,
    s.page_key AS page_key,
    c.title AS title,
    c.description AS description,
    c.created_at AS created_at
FROM conversation_shares AS s FORCE INDEX (uq_conversation_shares_token)
INNER JOIN conversations AS c FORCE INDEX (PRIMARY) ON s.conversation_id = c.id
INNER JOIN users AS o FORCE INDEX (PRIMARY) ON c.owner_id = o.id
INNER JOIN conversation_participants AS p FORCE INDEX (PRIMARY)
    ON
        c.id = p.conversation_id
        AND s.created_by = p.user_id
INNER JOIN users AS u FORCE INDEX (PRIMARY) ON p.user_id = u.id
WHERE
    s.token_hash = :token_hash
    AND s.revoked_at IS NULL
    AND s.expires_at > :now
    AND c.deleted_at IS NULL
    AND o.deleted_at IS NULL
    AND p.can_share = TRUE
    AND u.deleted_at IS NULL
    AND u.is_active = TRUE
    AND (
        s.scope = 'link'
        OR EXISTS (
            SELECT 1
            FROM users AS a
            WHERE
                a.id = :viewer_id
                AND a.deleted_at IS NULL
        )
    )
