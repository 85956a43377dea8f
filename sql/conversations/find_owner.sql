-- Find the owner of a live conversation that is locked.
--
-- returns: find UUID
-- param:   conversation_id BINARY(16)   the conversation
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT c.owner_id AS owner_id
FROM conversations AS c
WHERE
    c.id = :conversation_id
    AND c.deleted_at IS NULL
