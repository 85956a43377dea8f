-- Remove conversations that are locked, and that nothing hangs on any more.
--
-- returns: affected
-- param:   conversation_ids BINARY(16)   the conversations
-- access:  n/a
-- deleted: only
-- index:   PRIMARY
-- reads:   rows
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
DELETE c
FROM conversations AS c FORCE INDEX (PRIMARY)
WHERE
    c.id IN :conversation_ids
    AND c.deleted_at IS NOT NULL
