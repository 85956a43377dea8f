-- Change the cost of a conversation by what the cost of its live prompts changed.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   cost         DECIMAL(38,18) US dollars
-- access:  n/a
-- deleted: included
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations
SET cost = cost + :cost
WHERE id = :conversation_id
