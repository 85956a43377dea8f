-- Read the start of the prompt of each conversation that has most of some terms.
--
-- returns: many PromptHead
-- param:   head_chars   INT          how much of the content to give
-- param:   conversation_ids BINARY(16)   the conversations
-- param:   search_terms BIGINT       hashes of the terms that are asked for
-- param:   actor_id     BINARY(16)   who asks
-- access:  participant
-- deleted: excluded
-- index:   ix_prompt_postings_conversation, PRIMARY, uq_prompts_sequence
-- reads:   n/a: the postings of these terms, and five for each conversation
-- locks:   none
SELECT STRAIGHT_JOIN
    q.conversation_id AS conversation_id,
    q.sequence_number AS sequence_number,
    COALESCE(LEFT(q.user_input, :head_chars), '') AS input_head,
    LEFT(q.response, :head_chars) AS response_head
FROM (
    SELECT
        p.conversation_id AS conversation_id,
        p.sequence_number AS sequence_number,
        ROW_NUMBER() OVER (
            PARTITION BY p.conversation_id
            ORDER BY
                COUNT(*) DESC,
                SUM(p.impact) DESC,
                p.sequence_number ASC
        ) AS place
    FROM prompt_postings AS p FORCE INDEX (ix_prompt_postings_conversation)
    WHERE
        p.conversation_id IN :conversation_ids
        AND p.term IN :search_terms
        AND p.sequence_number > 0
    GROUP BY
        p.conversation_id,
        p.sequence_number
) AS b
INNER JOIN conversations AS c FORCE INDEX (PRIMARY)
    ON
        b.conversation_id = c.id
        AND c.deleted_at IS NULL
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN conversation_participants AS m FORCE INDEX (PRIMARY)
    ON
        c.id = m.conversation_id
        AND m.user_id = :actor_id
INNER JOIN users AS a FORCE INDEX (PRIMARY)
    ON
        m.user_id = a.id
        AND a.deleted_at IS NULL
INNER JOIN prompts AS q FORCE INDEX (uq_prompts_sequence)
    ON
        c.id = q.conversation_id
        AND b.sequence_number = q.sequence_number
        AND q.deleted_at IS NULL
WHERE b.place = 1
ORDER BY
    q.conversation_id ASC,
    q.sequence_number ASC
LIMIT 500
