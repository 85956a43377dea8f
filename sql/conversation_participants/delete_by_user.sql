-- Take a user out of conversations of others.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_conversation_participants_user
-- reads:   n/a: as many as are removed
-- locks:   X,REC_NOT_GAP conversation_participants.PRIMARY
-- locks:   X,REC_NOT_GAP conversation_participants.ix_conversation_participants_user
DELETE FROM conversation_participants
WHERE
    user_id = :user_id
    AND role IN ('collaborator', 'viewer')
ORDER BY
    role ASC,
    conversation_id ASC
LIMIT :limit_rows
