-- Count the conversations in the actor's trash.
--
-- Without those that are being purged: nobody takes part in them any more.
--
-- returns: value int
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: only
-- index:   ix_conversations_owner_deleted, PRIMARY
-- reads:   n/a: every conversation in the actor's trash
-- locks:   none
SELECT COUNT(*) AS n
FROM conversations AS c FORCE INDEX (ix_conversations_owner_deleted)
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
    AND c.deleted_at IS NOT NULL
