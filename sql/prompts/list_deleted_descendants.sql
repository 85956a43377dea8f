-- List a deleted prompt and those below it that were deleted with it, under a lock.
--
-- returns: many PromptRow
-- param:   conversation_id BINARY(16)   the conversation
-- param:   sequence_number INT UNSIGNED number in the conversation, from 1
-- param:   after_sequence INT          number of the last row of the page before
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: only
-- index:   uq_prompts_sequence, ix_prompts_parent
-- reads:   n/a: all that is below, once for its place and once for the row
-- locks:   none
WITH RECURSIVE down (sequence_number, deleted_at) AS (
    SELECT
        s.sequence_number AS sequence_number,
        s.deleted_at AS deleted_at
    FROM prompts AS s FORCE INDEX (uq_prompts_sequence)
    WHERE
        s.conversation_id = :conversation_id
        AND s.sequence_number = :sequence_number
        AND s.deleted_at IS NOT NULL
    UNION ALL
    SELECT STRAIGHT_JOIN
        s.sequence_number AS sequence_number,
        s.deleted_at AS deleted_at
    FROM down AS d
    INNER JOIN prompts AS s FORCE INDEX (ix_prompts_parent)
        ON
            d.sequence_number = s.parent_sequence
            AND d.deleted_at = s.deleted_at
    WHERE s.conversation_id = :conversation_id
)

SELECT STRAIGHT_JOIN
    q.id AS id,
    q.conversation_id AS conversation_id,
    q.author_id AS author_id,
    q.sequence_number AS sequence_number,
    q.parent_sequence AS parent_sequence,
    q.status AS status,
    q.user_input AS user_input,
    q.response AS response,
    q.token_count AS token_count,
    q.cost AS cost,
    q.variation_group AS variation_group
FROM down AS d
INNER JOIN prompts AS q FORCE INDEX (uq_prompts_sequence) ON d.sequence_number = q.sequence_number
WHERE
    q.conversation_id = :conversation_id
    AND q.sequence_number > :after_sequence
ORDER BY q.sequence_number ASC
LIMIT :limit_rows
