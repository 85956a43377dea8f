-- Find the highest number that was given among variations, the deleted ones too.
--
-- returns: find int
-- param:   group_id     BINARY(16)   the group of variations
-- access:  n/a
-- deleted: included
-- index:   uq_prompts_variation
-- reads:   1
-- locks:   none
SELECT CAST(COALESCE(q.variation_number, 0) AS UNSIGNED) AS variation_number
FROM prompts AS q FORCE INDEX (uq_prompts_variation)
WHERE q.variation_group = :group_id
ORDER BY q.variation_number DESC
LIMIT 1
