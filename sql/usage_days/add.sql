-- Count an attempt in the roll-up of its day: of its template, and of who asked.
--
-- The row is chosen by the latency too, so workers that answer at once seldom want the same row.
--
-- returns: affected
-- param:   template_id  BINARY(16) NULL the template; NULL is none
-- param:   template_version INT UNSIGNED NULL version of the template
-- param:   author_id    BINARY(16)   the participant who asked
-- param:   provider     VARCHAR(100) NULL who runs the model
-- param:   model        VARCHAR(200) NULL name of the model
-- param:   ended_at     DATETIME(6)  when the attempt ended
-- param:   latency_bucket SMALLINT   which class of latencies
-- param:   completed_count BIGINT    attempts that gave an answer
-- param:   failed_count BIGINT       attempts that failed
-- param:   timed_ms     BIGINT       milliseconds of answers that were timed
-- param:   timed_tokens BIGINT       tokens of answers that were timed
-- param:   input_tokens BIGINT       tokens of this type
-- param:   output_tokens BIGINT      tokens of this type
-- param:   cache_read_tokens BIGINT  tokens of this type
-- param:   cache_write_tokens BIGINT tokens of this type
-- param:   reasoning_tokens BIGINT   tokens of this type
-- param:   other_tokens BIGINT       tokens of all other types
-- param:   cost         DECIMAL(38,18) US dollars
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   2
-- locks:   X,REC_NOT_GAP usage_days.PRIMARY
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
VALUES
(
    'template',
    COALESCE(:template_id, UNHEX('00000000000000000000000000000000')),
    DATE(:ended_at),
    COALESCE(:template_version, 0),
    COALESCE(:provider, ''),
    COALESCE(:model, ''),
    :latency_bucket,
    :completed_count,
    :failed_count,
    :timed_ms,
    :timed_tokens,
    :input_tokens,
    :output_tokens,
    :cache_read_tokens,
    :cache_write_tokens,
    :reasoning_tokens,
    :other_tokens,
    :cost
),
(
    'user',
    :author_id,
    DATE(:ended_at),
    0,
    COALESCE(:provider, ''),
    COALESCE(:model, ''),
    :latency_bucket,
    :completed_count,
    :failed_count,
    :timed_ms,
    :timed_tokens,
    :input_tokens,
    :output_tokens,
    :cache_read_tokens,
    :cache_write_tokens,
    :reasoning_tokens,
    :other_tokens,
    :cost
)
ON DUPLICATE KEY UPDATE
    completed = completed + :completed_count,
    failed = failed + :failed_count,
    latency_ms = latency_ms + :timed_ms,
    timed_tokens = timed_tokens + :timed_tokens,
    input_tokens = input_tokens + :input_tokens,
    output_tokens = output_tokens + :output_tokens,
    cache_read_tokens = cache_read_tokens + :cache_read_tokens,
    cache_write_tokens = cache_write_tokens + :cache_write_tokens,
    reasoning_tokens = reasoning_tokens + :reasoning_tokens,
    other_tokens = other_tokens + :other_tokens,
    cost = cost + :cost
