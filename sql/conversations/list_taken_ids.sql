-- List which of these ids the actor has as conversations, the trash too.
--
-- For the system those of everybody.
--
-- returns: many UUID
-- param:   conversation_ids BINARY(16)   the conversations
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- access:  actor or system
-- deleted: included
-- index:   PRIMARY
-- reads:   rows
-- locks:   none
SELECT c.id AS id
FROM conversations AS c FORCE INDEX (PRIMARY)
WHERE
    c.id IN :conversation_ids
    AND (
        c.owner_id = :actor_id
        OR :actor_is_system = TRUE
    )
ORDER BY c.id
LIMIT 10000
