-- Page through the live prompts that a valid token shows, in the order of their numbers.
--
-- Whether views are left is not asked: who was let in reads on.
--
-- returns: many SharedPrompt
-- param:   token_hash   BINARY(32)   SHA-256 of the token
-- param:   now          DATETIME(6)  time of the change
-- param:   viewer_id    BINARY(16) NULL who opens it, if logged in; NULL is nobody
-- param:   after_sequence INT          number of the last row of the page before
-- param:   limit_rows   INT          the most rows to give
-- access:  token
-- deleted: excluded
-- index:   uq_conversation_shares_token, PRIMARY, ix_prompts_conversation
-- reads:   rows + 7
-- locks:   none
SELECT STRAIGHT_JOIN
    q.sequence_number AS sequence_number,
    q.user_input AS user_input,
    q.response AS response,
    q.created_at AS created_at
FROM conversation_shares AS s FORCE INDEX (uq_conversation_shares_token)
INNER JOIN conversations AS c FORCE INDEX (PRIMARY) ON s.conversation_id = c.id
INNER JOIN users AS o FORCE INDEX (PRIMARY) ON c.owner_id = o.id
INNER JOIN conversation_participants AS p FORCE INDEX (PRIMARY)
    ON
        c.id = p.conversation_id
        AND s.created_by = p.user_id
INNER JOIN users AS u FORCE INDEX (PRIMARY) ON p.user_id = u.id
INNER JOIN prompts AS q FORCE INDEX (ix_prompts_conversation)
    ON
        c.id = q.conversation_id
        AND q.deleted_at IS NULL
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
    AND q.sequence_number > :after_sequence
    AND q.sequence_number <= s.through_sequence
ORDER BY q.sequence_number ASC
LIMIT :limit_rows
