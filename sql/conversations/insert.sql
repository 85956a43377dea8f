-- Create a conversation of a live owner; no row when the owner is not there.
--
-- MySQL reads the owner once more, for the foreign key.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   owner_id     BINARY(16)   the owner
-- param:   title        VARCHAR(255) shown in lists
-- param:   description  TEXT NULL    what it is for
-- param:   context      JSON         an object that every prompt of it is told
-- param:   settings     JSON         an object: model, temperature and the like
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   2
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
    message_count,
    token_count,
    cost,
    created_at,
    updated_at,
    deleted_at
)
SELECT
    :conversation_id AS id,
    o.id AS owner_id,
    :title AS title,
    :description AS description,
    :context AS context,
    :settings AS settings,
    'active' AS status,
    NULL AS archived_at,
    :now AS last_activity_at,
    0 AS last_sequence,
    0 AS message_count,
    0 AS token_count,
    0 AS cost,
    :now AS created_at,
    :now AS updated_at,
    NULL AS deleted_at
FROM users AS o
WHERE
    o.id = :owner_id
    AND o.deleted_at IS NULL
LOCK IN SHARE MODE
