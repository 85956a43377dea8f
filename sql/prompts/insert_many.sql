-- Create the prompts of conversations that were just inserted with their totals.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   conversation_id BINARY(16)   the conversation
-- param:   author_id    BINARY(16)   the participant who asked
-- param:   sequence_number INT UNSIGNED number in the conversation, from 1
-- param:   parent_sequence INT UNSIGNED NULL number of the prompt that it follows; NULL is none
-- param:   prompt_status VARCHAR(10)  pending, processing, completed, failed or cancelled
-- param:   user_input   MEDIUMTEXT   what was asked
-- param:   system_prompt MEDIUMTEXT NULL the system prompt
-- param:   response     MEDIUMTEXT NULL what was answered; NULL is nothing yet
-- param:   template_id  BINARY(16) NULL the template; NULL is none
-- param:   template_version INT UNSIGNED NULL version of the template
-- param:   provider     VARCHAR(100) NULL who runs the model
-- param:   model        VARCHAR(200) NULL name of the model
-- param:   prompt_settings JSON NULL    an object; NULL is those of the conversation
-- param:   token_count  BIGINT       tokens
-- param:   cost         DECIMAL(38,18) US dollars
-- param:   attempt      SMALLINT UNSIGNED how often it was started
-- param:   max_attempts SMALLINT UNSIGNED how often it may be started
-- param:   error_code   VARCHAR(64) NULL why it failed, a word
-- param:   error_message VARCHAR(2000) NULL why it failed, in words
-- param:   finish_reason VARCHAR(64) NULL why the answer ended, as the model says it
-- param:   latency_ms   INT UNSIGNED NULL from the request to the whole answer, in milliseconds
-- param:   first_token_ms INT UNSIGNED NULL from the request to its first token, in milliseconds
-- param:   queued_at    DATETIME(6) NULL since when it waits; NULL is not at all
-- param:   finished_at  DATETIME(6) NULL when it was answered; NULL is not yet
-- param:   idempotency_key VARCHAR(100) NULL key of the caller; NULL is none
-- param:   variation_group BINARY(16) NULL the group of variations; NULL is none
-- param:   variation_number INT UNSIGNED NULL number among the variations, from 1
-- param:   is_selected  BOOLEAN      whether it is the one of its variations that counts
-- param:   prompt_rating TINYINT UNSIGNED NULL 1 to 5; NULL is not rated
-- param:   feedback     TEXT NULL    why
-- param:   rated_at     DATETIME(6) NULL when it was rated
-- param:   created_at   DATETIME(6)  when it was made
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP conversations.PRIMARY, S,REC_NOT_GAP users.PRIMARY
INSERT INTO prompts
(
    id,
    conversation_id,
    author_id,
    sequence_number,
    parent_sequence,
    status,
    user_input,
    system_prompt,
    response,
    template_id,
    template_version,
    provider,
    model,
    settings,
    token_count,
    cost,
    attempt,
    max_attempts,
    error_code,
    error_message,
    finish_reason,
    latency_ms,
    first_token_ms,
    queued_at,
    finished_at,
    idempotency_key,
    variation_group,
    variation_number,
    is_selected,
    rating,
    feedback,
    rated_at,
    created_at,
    updated_at,
    deleted_at
)
VALUES
(
    :prompt_id,
    :conversation_id,
    :author_id,
    :sequence_number,
    :parent_sequence,
    :prompt_status,
    :user_input,
    :system_prompt,
    :response,
    :template_id,
    :template_version,
    :provider,
    :model,
    :prompt_settings,
    :token_count,
    :cost,
    :attempt,
    :max_attempts,
    :error_code,
    :error_message,
    :finish_reason,
    :latency_ms,
    :first_token_ms,
    :queued_at,
    :finished_at,
    :idempotency_key,
    :variation_group,
    :variation_number,
    :is_selected,
    :prompt_rating,
    :feedback,
    :rated_at,
    :created_at,
    :now,
    NULL
)
