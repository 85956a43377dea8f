-- Count the actor's own live conversations, the archived ones too.
--
-- returns: value int
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: excluded
-- index:   ix_conversations_owner_activity, PRIMARY
-- reads:   n/a: every live conversation of the actor
-- locks:   none
SELECT COUNT(*) AS n
FROM conversations AS c FORCE INDEX (ix_conversations_owner_activity)
INNER JOIN users AS o
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    c.owner_id = :actor_id
    AND c.deleted_at IS NULL
