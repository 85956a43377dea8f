-- List what the attempts at a prompt took that have ended.
--
-- returns: many UsageRecord
-- param:   prompt_id    BINARY(16)   the prompt
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows + 1
-- locks:   none
SELECT
    r.prompt_id AS prompt_id,
    r.attempt AS attempt,
    r.conversation_id AS conversation_id,
    r.user_id AS user_id,
    r.template_id AS template_id,
    r.template_version AS template_version,
    r.provider AS provider,
    r.model AS model,
    r.status AS status,
    r.error_code AS error_code,
    r.finished_at AS finished_at,
    r.latency_ms AS latency_ms,
    r.first_token_ms AS first_token_ms,
    r.latency_bucket AS latency_bucket,
    r.input_tokens AS input_tokens,
    r.output_tokens AS output_tokens,
    r.cache_read_tokens AS cache_read_tokens,
    r.cache_write_tokens AS cache_write_tokens,
    r.reasoning_tokens AS reasoning_tokens,
    r.other_tokens AS other_tokens,
    r.cost AS cost,
    r.cost_source AS cost_source,
    r.rating AS rating
FROM usage_records AS r
WHERE r.prompt_id = :prompt_id
ORDER BY r.attempt
LIMIT 1000
