-- Remove a conversation that is locked, and that nothing hangs on any more.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- access:  n/a
-- deleted: only
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
DELETE c
FROM conversations AS c FORCE INDEX (PRIMARY)
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NOT NULL
