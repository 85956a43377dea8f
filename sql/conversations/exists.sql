-- Say whether there is a live conversation that the actor takes part in.
--
-- returns: value bool
-- param:   conversation_id BINARY(16)   the conversation
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- access:  participant or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   4
-- locks:   none
SELECT EXISTS(
    SELECT 1
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
    WHERE
        c.id = :conversation_id
        AND c.deleted_at IS NULL
        AND (
            a.id IS NOT NULL
            OR :actor_is_system = TRUE
        )
) AS is_there
