-- List the live variations of a group, of a locked conversation, by their numbers.
--
-- returns: many PromptPlace
-- param:   group_id     BINARY(16)   the group of variations
-- access:  n/a
-- deleted: excluded
-- index:   uq_prompts_variation
-- reads:   n/a: the variations, the deleted ones too
-- locks:   none
SELECT
    q.id AS id,
    q.author_id AS author_id,
    q.sequence_number AS sequence_number,
    q.parent_sequence AS parent_sequence,
    q.token_count AS token_count,
    q.cost AS cost
FROM prompts AS q FORCE INDEX (uq_prompts_variation)
WHERE
    q.variation_group = :group_id
    AND q.deleted_at IS NULL
ORDER BY q.variation_number
LIMIT 1000
