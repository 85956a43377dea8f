-- Lock a participant of a conversation that is locked, before they are changed.
--
-- returns: find ParticipantRow
-- param:   conversation_id BINARY(16)   the conversation
-- param:   user_id      BINARY(16)   the user
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversation_participants.PRIMARY
SELECT
    p.role AS role,
    p.can_write AS can_write,
    p.can_share AS can_share
FROM conversation_participants AS p
WHERE
    p.conversation_id = :conversation_id
    AND p.user_id = :user_id
FOR UPDATE
