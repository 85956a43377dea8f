-- Remove all shares of conversations that are locked, in a trash.
--
-- returns: affected
-- param:   conversation_ids BINARY(16)   the conversations
-- access:  n/a
-- deleted: n/a
-- index:   ix_conversation_shares_conversation
-- reads:   n/a: twice rows, and one for each conversation
-- locks:   X,REC_NOT_GAP conversation_shares.PRIMARY
-- locks:   X,REC_NOT_GAP conversation_shares.ix_conversation_shares_conversation
DELETE s
FROM conversation_shares AS s FORCE INDEX (ix_conversation_shares_conversation)
WHERE s.conversation_id IN :conversation_ids
