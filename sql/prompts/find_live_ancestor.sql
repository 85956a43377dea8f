-- Find the nearest live prompt on the way up, or the deleted root, under a lock.
--
-- returns: find PromptAbove
-- param:   conversation_id BINARY(16)   the conversation
-- param:   sequence_number INT UNSIGNED number in the conversation, from 1
-- access:  n/a
-- deleted: included
-- index:   uq_prompts_sequence
-- reads:   n/a: the deleted ones on the way, and the live one
-- locks:   none
WITH RECURSIVE up (sequence_number, parent_sequence, is_live) AS (
    SELECT
        s.sequence_number AS sequence_number,
        s.parent_sequence AS parent_sequence,
        s.deleted_at IS NULL AS is_live
    FROM prompts AS s FORCE INDEX (uq_prompts_sequence)
    WHERE
        s.conversation_id = :conversation_id
        AND s.sequence_number = :sequence_number
    UNION ALL
    SELECT STRAIGHT_JOIN
        s.sequence_number AS sequence_number,
        s.parent_sequence AS parent_sequence,
        s.deleted_at IS NULL AS is_live
    FROM up AS u
    INNER JOIN prompts AS s FORCE INDEX (uq_prompts_sequence)
        ON u.parent_sequence = s.sequence_number
    WHERE
        s.conversation_id = :conversation_id
        AND u.is_live = FALSE
)

SELECT
    CAST(COALESCE(u.sequence_number, 0) AS UNSIGNED) AS sequence_number,
    COALESCE(u.is_live, FALSE) AS is_live
FROM up AS u
ORDER BY u.sequence_number ASC
LIMIT 1
