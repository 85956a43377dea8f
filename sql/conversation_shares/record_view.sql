-- Count a view of a valid token, while there are views left.
--
-- The conversation first, as everybody locks it. Of many at once as many get in as there are views.
--
-- returns: affected
-- param:   now          DATETIME(6)  time of the change
-- param:   conversation_id BINARY(16)   the conversation
-- param:   token_hash   BINARY(32)   SHA-256 of the token
-- param:   viewer_id    BINARY(16) NULL who opens it, if logged in; NULL is nobody
-- access:  token
-- deleted: excluded
-- index:   uq_conversation_shares_token, PRIMARY
-- reads:   7
-- locks:   S,REC_NOT_GAP conversations.PRIMARY, S,REC_NOT_GAP users.PRIMARY
-- locks:   S,REC_NOT_GAP conversation_participants.PRIMARY
-- locks:   X,REC_NOT_GAP conversation_shares.PRIMARY
-- locks:   X,REC_NOT_GAP conversation_shares.uq_conversation_shares_token
UPDATE conversations AS c FORCE INDEX (PRIMARY)
STRAIGHT_JOIN users AS o FORCE INDEX (PRIMARY) ON c.owner_id = o.id
    STRAIGHT_JOIN conversation_shares AS s FORCE INDEX (uq_conversation_shares_token)
        ON c.id = s.conversation_id
    STRAIGHT_JOIN conversation_participants AS p FORCE INDEX (PRIMARY)
        ON
            c.id = p.conversation_id
            AND s.created_by = p.user_id
    STRAIGHT_JOIN users AS u FORCE INDEX (PRIMARY) ON p.user_id = u.id
SET
    s.view_count = s.view_count + 1,
    s.last_viewed_at = GREATEST(COALESCE(s.last_viewed_at, :now), :now)
WHERE
    c.id = :conversation_id
    AND (
        s.max_views IS NULL
        OR s.view_count < s.max_views
    )
    AND s.token_hash = :token_hash
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
