-- Create a share of a conversation that is locked, for who may share it.
--
-- returns: affected
-- param:   share_id     BINARY(16)   the share
-- param:   conversation_id BINARY(16)   the conversation
-- param:   created_by   BINARY(16)   the user who made it
-- param:   token_hash   BINARY(32)   SHA-256 of the token
-- param:   page_key     BINARY(32)   signs the cursors of its views
-- param:   share_scope  VARCHAR(5)   link or users
-- param:   through_sequence INT UNSIGNED the last prompt that is shown, 0 for none
-- param:   expires_at   DATETIME(6)  not valid from this time on
-- param:   max_views    INT UNSIGNED NULL how often it is opened; NULL is any number
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP conversations.PRIMARY, S,REC_NOT_GAP users.PRIMARY
INSERT INTO conversation_shares
(
    id,
    conversation_id,
    created_by,
    token_hash,
    page_key,
    scope,
    through_sequence,
    expires_at,
    max_views,
    view_count,
    last_viewed_at,
    revoked_at,
    created_at,
    updated_at
)
VALUES
(
    :share_id,
    :conversation_id,
    :created_by,
    :token_hash,
    :page_key,
    :share_scope,
    :through_sequence,
    :expires_at,
    :max_views,
    0,
    NULL,
    NULL,
    :now,
    :now
)
