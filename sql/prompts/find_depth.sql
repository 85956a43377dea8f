-- Find how many live prompts there are from a root to a live prompt, both counted.
--
-- returns: find int
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- access:  participant or system
-- deleted: excluded
-- index:   PRIMARY, uq_prompts_sequence
-- reads:   n/a: all on the way up, and what says who may
-- locks:   none
WITH RECURSIVE up (conversation_id, sequence_number, parent_sequence, distance) AS (
    SELECT STRAIGHT_JOIN
        s.conversation_id AS conversation_id,
        s.sequence_number AS sequence_number,
        s.parent_sequence AS parent_sequence,
        CAST(1 AS UNSIGNED) AS distance
    FROM prompts AS s FORCE INDEX (PRIMARY)
    INNER JOIN conversations AS c FORCE INDEX (PRIMARY)
        ON
            s.conversation_id = c.id
            AND c.deleted_at IS NULL
    INNER JOIN users AS o FORCE INDEX (PRIMARY)
        ON
            c.owner_id = o.id
            AND o.deleted_at IS NULL
    LEFT JOIN conversation_participants AS p FORCE INDEX (PRIMARY)
        ON
            c.id = p.conversation_id
            AND p.user_id = :actor_id
    LEFT JOIN users AS a FORCE INDEX (PRIMARY)
        ON
            p.user_id = a.id
            AND a.deleted_at IS NULL
    WHERE
        s.id = :prompt_id
        AND s.deleted_at IS NULL
        AND (
            a.id IS NOT NULL
            OR :actor_is_system = TRUE
        )
    UNION ALL
    SELECT STRAIGHT_JOIN
        s.conversation_id AS conversation_id,
        s.sequence_number AS sequence_number,
        s.parent_sequence AS parent_sequence,
        u.distance + 1 AS distance
    FROM up AS u
    INNER JOIN prompts AS s FORCE INDEX (uq_prompts_sequence)
        ON
            u.conversation_id = s.conversation_id
            AND u.parent_sequence = s.sequence_number
)

SELECT CAST(COALESCE(u.distance, 0) AS UNSIGNED) AS distance
FROM up AS u
ORDER BY u.distance DESC
LIMIT 1
