-- Give a participant another role, with its permissions.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   user_id      BINARY(16)   the user
-- param:   participant_role VARCHAR(12) owner, collaborator or viewer
-- param:   can_write    BOOLEAN      may change it and add prompts
-- param:   can_share    BOOLEAN      may give links to others
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversation_participants.PRIMARY
UPDATE conversation_participants
SET
    role = :participant_role,
    can_write = :can_write,
    can_share = :can_share,
    updated_at = :now
WHERE
    conversation_id = :conversation_id
    AND user_id = :user_id
