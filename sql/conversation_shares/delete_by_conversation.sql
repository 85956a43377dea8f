-- Remove all shares of a conversation that is locked, in the trash.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- access:  n/a
-- deleted: only
-- index:   PRIMARY, ix_conversation_shares_conversation
-- reads:   2 * rows + 2
-- locks:   S,REC_NOT_GAP conversations.PRIMARY, X,REC_NOT_GAP conversation_shares.PRIMARY
-- locks:   X,REC_NOT_GAP conversation_shares.ix_conversation_shares_conversation
DELETE s
FROM conversation_shares AS s FORCE INDEX (ix_conversation_shares_conversation)
INNER JOIN conversations AS c ON s.conversation_id = c.id
WHERE
    s.conversation_id = :conversation_id
    AND c.deleted_at IS NOT NULL
