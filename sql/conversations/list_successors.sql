-- List who takes part in a user's live conversations, who is to follow first.
--
-- Collaborators before viewers, who came first before who came later.
--
-- returns: many Successor
-- param:   owner_id     BINARY(16)   the owner
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: excluded
-- index:   ix_conversations_owner_deleted, PRIMARY
-- reads:   n/a: everybody who takes part in what the owner has
-- locks:   none
SELECT STRAIGHT_JOIN
    p.conversation_id AS conversation_id,
    p.user_id AS user_id
FROM conversations AS c FORCE INDEX (ix_conversations_owner_deleted)
INNER JOIN conversation_participants AS p FORCE INDEX (PRIMARY)
    ON
        c.id = p.conversation_id
        AND p.role <> 'owner'
INNER JOIN users AS u FORCE INDEX (PRIMARY)
    ON
        p.user_id = u.id
        AND u.deleted_at IS NULL
WHERE
    c.owner_id = :owner_id
    AND c.deleted_at IS NULL
ORDER BY
    p.conversation_id ASC,
    p.role ASC,
    p.joined_at ASC,
    p.user_id ASC
LIMIT :limit_rows
