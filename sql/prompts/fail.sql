-- Let a live prompt that is processed fail, and count what it took all the same.
--
-- What was answered so far stays.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   conversation_id BINARY(16)   the conversation
-- param:   attempt      SMALLINT UNSIGNED how often it was started
-- param:   lease_owner  VARCHAR(100) NULL which worker has it; NULL is none
-- param:   error_code   VARCHAR(64)  why it failed, a word
-- param:   error_message VARCHAR(2000) NULL why it failed, in words
-- param:   provider     VARCHAR(100) NULL who runs the model
-- param:   model        VARCHAR(200) NULL name of the model
-- param:   token_count  BIGINT       tokens
-- param:   cost         DECIMAL(38,18) US dollars
-- param:   latency_ms   INT UNSIGNED NULL from the request to the whole answer, in milliseconds
-- param:   first_token_ms INT UNSIGNED NULL from the request to its first token, in milliseconds
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   3
-- locks:   X,REC_NOT_GAP conversations.PRIMARY, X,REC_NOT_GAP prompts.PRIMARY
UPDATE conversations AS c FORCE INDEX (PRIMARY)
STRAIGHT_JOIN prompts AS q FORCE INDEX (PRIMARY) ON c.id = q.conversation_id
SET
    q.status = 'failed',
    q.error_code = :error_code,
    q.error_message = :error_message,
    q.provider = :provider,
    q.model = :model,
    q.token_count = q.token_count + :token_count,
    q.cost = q.cost + :cost,
    q.latency_ms = :latency_ms,
    q.first_token_ms = :first_token_ms,
    q.finished_at = :now,
    q.lease_owner = NULL,
    q.lease_until = NULL,
    q.updated_at = GREATEST(q.updated_at, :now),
    c.token_count = c.token_count + :token_count,
    c.cost = c.cost + :cost,
    c.last_activity_at = GREATEST(c.last_activity_at, :now)
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
    AND q.id = :prompt_id
    AND q.status = 'processing'
    AND q.attempt = :attempt
    AND q.lease_owner <=> :lease_owner
    AND q.deleted_at IS NULL
