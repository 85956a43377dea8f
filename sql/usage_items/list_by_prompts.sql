-- List the tokens of all attempts at these prompts by type, with their prices.
--
-- returns: many UsageItem
-- param:   prompt_ids   BINARY(16)   the prompts
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows
-- locks:   none
SELECT
    i.prompt_id AS prompt_id,
    i.attempt AS attempt,
    i.usage_type AS usage_type,
    i.token_count AS token_count,
    i.unit_price AS unit_price,
    i.cost AS cost
FROM usage_items AS i
WHERE i.prompt_id IN :prompt_ids
ORDER BY i.prompt_id, i.attempt, i.usage_type
LIMIT 1000000
