-- Lock a conversation in the actor's trash before it is removed for good.
--
-- returns: find UUID
-- param:   conversation_id BINARY(16)   the conversation
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: only
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
SELECT c.id AS id
FROM conversations AS c FORCE INDEX (PRIMARY)
WHERE
    c.id = :conversation_id
    AND c.owner_id = :actor_id
    AND c.deleted_at IS NOT NULL
FOR UPDATE
