-- Take all participants out of a conversation that is locked, in the trash.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- access:  n/a
-- deleted: only
-- index:   PRIMARY
-- reads:   2 * rows + 2
-- locks:   S,REC_NOT_GAP conversations.PRIMARY, X,REC_NOT_GAP conversation_participants.PRIMARY
DELETE p
FROM conversation_participants AS p
INNER JOIN conversations AS c ON p.conversation_id = c.id
WHERE
    p.conversation_id = :conversation_id
    AND c.deleted_at IS NOT NULL
