-- Page through the live prompts of a live conversation, in the order of their numbers.
--
-- returns: many Prompt
-- param:   conversation_id BINARY(16)   the conversation
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   after_sequence INT          number of the last row of the page before
-- param:   limit_rows   INT          the most rows to give
-- access:  participant or system
-- deleted: excluded
-- index:   PRIMARY, ix_prompts_conversation
-- reads:   rows + 6
-- locks:   none
SELECT STRAIGHT_JOIN
    q.id AS id,
    q.conversation_id AS conversation_id,
    q.author_id AS author_id,
    q.sequence_number AS sequence_number,
    q.user_input AS user_input,
    q.response AS response,
    q.token_count AS token_count,
    q.cost AS cost,
    q.created_at AS created_at,
    q.updated_at AS updated_at,
    q.deleted_at AS deleted_at
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
INNER JOIN prompts AS q FORCE INDEX (ix_prompts_conversation)
    ON
        c.id = q.conversation_id
        AND q.deleted_at IS NULL
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
    AND q.sequence_number > :after_sequence
    AND (
        a.id IS NOT NULL
        OR :actor_is_system = TRUE
    )
ORDER BY q.sequence_number ASC
LIMIT :limit_rows
