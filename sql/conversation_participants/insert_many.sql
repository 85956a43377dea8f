-- Add participants to conversations that were just inserted; the users are locked.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   user_id      BINARY(16)   the user
-- param:   participant_role VARCHAR(12) owner, collaborator or viewer
-- param:   can_write    BOOLEAN      may change it and add prompts
-- param:   can_share    BOOLEAN      may give links to others
-- param:   added_by     BINARY(16)   who added the participant
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP conversations.PRIMARY, S,REC_NOT_GAP users.PRIMARY
INSERT INTO conversation_participants
(
    conversation_id,
    user_id,
    role,
    can_write,
    can_share,
    is_pinned,
    last_read_sequence,
    last_accessed_at,
    added_by,
    joined_at,
    updated_at
)
VALUES
(
    :conversation_id,
    :user_id,
    :participant_role,
    :can_write,
    :can_share,
    FALSE,
    0,
    NULL,
    :added_by,
    :now,
    :now
)
