-- Lock attempts that ended within a time and were priced here, some at a time.
--
-- returns: many UsageRecord
-- param:   after_ended_at DATETIME(6) end of the attempt before
-- param:   after_prompt_id BINARY(16) prompt of the attempt before; an equal end goes by this
-- param:   after_attempt SMALLINT UNSIGNED its number; an equal prompt goes by this
-- param:   until_at     DATETIME(6)  its end, not counted
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: n/a
-- index:   ix_usage_records_finished
-- reads:   n/a: the rows given, and those between them whose cost was said
-- locks:   X,REC_NOT_GAP usage_records.PRIMARY
-- locks:   X,REC_NOT_GAP usage_records.ix_usage_records_finished
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
FROM usage_records AS r FORCE INDEX (ix_usage_records_finished)
WHERE
    (
        r.finished_at > :after_ended_at
        OR (
            r.finished_at = :after_ended_at
            AND (
                r.prompt_id > :after_prompt_id
                OR (
                    r.prompt_id = :after_prompt_id
                    AND r.attempt > :after_attempt
                )
            )
        )
    )
    AND r.finished_at < :until_at
    AND r.cost_source <> 'caller'
ORDER BY r.finished_at, r.prompt_id, r.attempt
LIMIT :limit_rows
FOR UPDATE
