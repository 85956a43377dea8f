-- Sum the roll-up of a model by day and latency.
--
-- returns: many UsageDay
-- param:   model_name   VARCHAR(200) name of the model
-- param:   from_day     DATETIME(6)  the first day, UTC, at its start
-- param:   to_day       DATETIME(6)  the last day, UTC, at its start
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: n/a
-- index:   ix_usage_days_day
-- reads:   n/a: the rows of all templates of these days that are of the model
-- locks:   none
SELECT
    d.day AS day,
    d.provider AS provider,
    d.model AS model,
    d.latency_bucket AS latency_bucket,
    CAST(COALESCE(SUM(d.completed), 0) AS SIGNED) AS completed,
    CAST(COALESCE(SUM(d.failed), 0) AS SIGNED) AS failed,
    CAST(COALESCE(SUM(d.latency_ms), 0) AS SIGNED) AS latency_ms,
    CAST(COALESCE(SUM(d.timed_tokens), 0) AS SIGNED) AS timed_tokens,
    CAST(COALESCE(SUM(d.input_tokens), 0) AS SIGNED) AS input_tokens,
    CAST(COALESCE(SUM(d.output_tokens), 0) AS SIGNED) AS output_tokens,
    CAST(COALESCE(SUM(d.cache_read_tokens), 0) AS SIGNED) AS cache_read_tokens,
    CAST(COALESCE(SUM(d.cache_write_tokens), 0) AS SIGNED) AS cache_write_tokens,
    CAST(COALESCE(SUM(d.reasoning_tokens), 0) AS SIGNED) AS reasoning_tokens,
    CAST(COALESCE(SUM(d.other_tokens), 0) AS SIGNED) AS other_tokens,
    CAST(COALESCE(SUM(d.cost), 0) AS DECIMAL(38, 18)) AS cost
FROM usage_days AS d FORCE INDEX (ix_usage_days_day)
WHERE
    d.facet = 'template'
    AND d.model = :model_name
    AND d.day >= DATE(:from_day)
    AND d.day <= DATE(:to_day)
GROUP BY d.day, d.provider, d.model, d.latency_bucket
ORDER BY d.day, d.provider, d.model, d.latency_bucket
LIMIT :limit_rows
