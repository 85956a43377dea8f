-- Create the prompts of conversations that were just inserted with their totals.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   conversation_id BINARY(16)   the conversation
-- param:   author_id    BINARY(16)   the participant who asked
-- param:   sequence_number INT UNSIGNED number in the conversation, from 1
-- param:   user_input   MEDIUMTEXT   what was asked
-- param:   response     MEDIUMTEXT NULL what was answered; NULL is nothing yet
-- param:   token_count  BIGINT       tokens
-- param:   cost         DECIMAL(20,10) US dollars
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
    user_input,
    response,
    token_count,
    cost,
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
    :user_input,
    :response,
    :token_count,
    :cost,
    :created_at,
    :now,
    NULL
)
