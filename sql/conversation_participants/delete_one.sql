-- Take a participant out of a conversation that is locked.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   user_id      BINARY(16)   the user
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversation_participants.PRIMARY
DELETE p
FROM conversation_participants AS p
WHERE
    p.conversation_id = :conversation_id
    AND p.user_id = :user_id
