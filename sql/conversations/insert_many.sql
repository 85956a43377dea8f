-- Create conversations of owners who are locked and live, with their totals.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   owner_id     BINARY(16)   the owner
-- param:   title        VARCHAR(255) shown in lists
-- param:   description  TEXT NULL    what it is for
-- param:   context      JSON         an object that every prompt of it is told
-- param:   settings     JSON         an object: model, temperature and the like
-- param:   conversation_status VARCHAR(9)  active, paused or completed
-- param:   archived_at  DATETIME(6) NULL when it was archived; NULL is not at all
-- param:   last_activity_at DATETIME(6)  when something was said last
-- param:   last_sequence INT UNSIGNED the highest number given to a prompt
-- param:   active_sequence INT UNSIGNED NULL the prompt that the next one follows; NULL is none
-- param:   message_count INT          how many live prompts
-- param:   token_count  BIGINT       tokens
-- param:   cost         DECIMAL(38,18) US dollars
-- param:   origin_id    BINARY(16) NULL the conversation that it was copied of; NULL is none
-- param:   origin_sequence INT UNSIGNED NULL the last prompt that was copied
-- param:   created_at   DATETIME(6)  when it was made
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP users.PRIMARY
INSERT INTO conversations
(
    id,
    owner_id,
    title,
    description,
    context,
    settings,
    status,
    archived_at,
    last_activity_at,
    last_sequence,
    active_sequence,
    message_count,
    token_count,
    cost,
    forked_from_id,
    forked_from_sequence,
    created_at,
    updated_at,
    deleted_at
)
VALUES
(
    :conversation_id,
    :owner_id,
    :title,
    :description,
    :context,
    :settings,
    :conversation_status,
    :archived_at,
    :last_activity_at,
    :last_sequence,
    :active_sequence,
    :message_count,
    :token_count,
    :cost,
    :origin_id,
    :origin_sequence,
    :created_at,
    :now,
    NULL
)
