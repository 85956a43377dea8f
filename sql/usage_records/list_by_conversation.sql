-- List the attempts of a conversation that ended within a time, in order.
--
-- returns: many UsageRecord
-- param:   conversation_id BINARY(16)   the conversation
-- param:   from_at      DATETIME(6)  start of the time that is counted
-- param:   until_at     DATETIME(6)  its end, not counted
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: n/a
-- index:   ix_usage_records_conversation
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
FROM usage_records AS r FORCE INDEX (ix_usage_records_conversation)
WHERE
    r.conversation_id = :conversation_id
    AND r.finished_at >= :from_at
    AND r.finished_at < :until_at
ORDER BY r.finished_at, r.prompt_id, r.attempt
LIMIT :limit_rows
