-- Lock a conversation, live or deleted, before what its prompts cost changes.
--
-- returns: find UUID
-- param:   conversation_id BINARY(16)   the conversation
-- access:  n/a
-- deleted: included
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
SELECT c.id AS id
FROM conversations AS c
WHERE c.id = :conversation_id
FOR UPDATE
