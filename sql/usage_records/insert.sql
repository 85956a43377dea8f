-- Record what an attempt took that has ended; once for each attempt.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   attempt      SMALLINT UNSIGNED how often it was started
-- param:   conversation_id BINARY(16)   the conversation
-- param:   author_id    BINARY(16)   the participant who asked
-- param:   template_id  BINARY(16) NULL the template; NULL is none
-- param:   template_version INT UNSIGNED NULL version of the template
-- param:   provider     VARCHAR(100) NULL who runs the model
-- param:   model        VARCHAR(200) NULL name of the model
-- param:   usage_status VARCHAR(10)  completed or failed
-- param:   error_code   VARCHAR(64) NULL why it failed, a word
-- param:   ended_at     DATETIME(6)  when the attempt ended
-- param:   latency_ms   INT UNSIGNED NULL from the request to the whole answer, in milliseconds
-- param:   first_token_ms INT UNSIGNED NULL from the request to its first token, in milliseconds
-- param:   latency_bucket SMALLINT   which class of latencies
-- param:   input_tokens BIGINT       tokens of this type
-- param:   output_tokens BIGINT      tokens of this type
-- param:   cache_read_tokens BIGINT  tokens of this type
-- param:   cache_write_tokens BIGINT tokens of this type
-- param:   reasoning_tokens BIGINT   tokens of this type
-- param:   other_tokens BIGINT       tokens of all other types
-- param:   cost         DECIMAL(38,18) US dollars
-- param:   cost_source  VARCHAR(7)   table, partial, caller or none
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO usage_records
(
    prompt_id,
    attempt,
    conversation_id,
    user_id,
    template_id,
    template_version,
    provider,
    model,
    status,
    error_code,
    finished_at,
    latency_ms,
    first_token_ms,
    latency_bucket,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    other_tokens,
    cost,
    cost_source
)
VALUES
(
    :prompt_id,
    :attempt,
    :conversation_id,
    :author_id,
    :template_id,
    :template_version,
    :provider,
    :model,
    :usage_status,
    :error_code,
    :ended_at,
    :latency_ms,
    :first_token_ms,
    :latency_bucket,
    :input_tokens,
    :output_tokens,
    :cache_read_tokens,
    :cache_write_tokens,
    :reasoning_tokens,
    :other_tokens,
    :cost,
    :cost_source
)
