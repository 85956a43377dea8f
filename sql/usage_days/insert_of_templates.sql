-- Make the roll-up of a day anew from its attempts: a row a template version.
--
-- returns: affected
-- param:   from_at      DATETIME(6)  start of the time that is counted
-- param:   until_at     DATETIME(6)  its end, not counted
-- access:  n/a
-- deleted: n/a
-- index:   ix_usage_records_finished
-- reads:   n/a: every attempt of the day
-- locks:   none
INSERT INTO usage_days
(
    facet,
    subject_id,
    day,
    template_version,
    provider,
    model,
    latency_bucket,
    completed,
    failed,
    latency_ms,
    timed_tokens,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    other_tokens,
    cost
)
SELECT
    'template' AS facet,
    COALESCE(r.template_id, UNHEX('00000000000000000000000000000000')) AS subject_id,
    DATE(:from_at) AS day,
    COALESCE(r.template_version, 0) AS template_version,
    COALESCE(r.provider, '') AS provider,
    COALESCE(r.model, '') AS model,
    r.latency_bucket AS latency_bucket,
    COUNT(CASE WHEN r.status = 'completed' THEN 1 END) AS completed,
    COUNT(CASE WHEN r.status = 'failed' THEN 1 END) AS failed,
    SUM(CASE WHEN r.latency_bucket >= 0 THEN r.latency_ms ELSE 0 END) AS latency_ms,
    SUM(
        CASE WHEN r.latency_bucket >= 0 THEN r.output_tokens + r.reasoning_tokens ELSE 0 END
    ) AS timed_tokens,
    SUM(r.input_tokens) AS input_tokens,
    SUM(r.output_tokens) AS output_tokens,
    SUM(r.cache_read_tokens) AS cache_read_tokens,
    SUM(r.cache_write_tokens) AS cache_write_tokens,
    SUM(r.reasoning_tokens) AS reasoning_tokens,
    SUM(r.other_tokens) AS other_tokens,
    SUM(r.cost) AS cost
FROM usage_records AS r FORCE INDEX (ix_usage_records_finished)
WHERE
    r.finished_at >= :from_at
    AND r.finished_at < :until_at
GROUP BY r.template_id, r.template_version, r.provider, r.model, r.latency_bucket
