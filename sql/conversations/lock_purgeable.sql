-- Lock those of some conversations that are in a trash since before a time.
--
-- Whoever restores one of them waits, or was first.
--
-- returns: many UUID
-- param:   conversation_ids BINARY(16)   the conversations
-- param:   deleted_before DATETIME(6)  only what was deleted before
-- access:  system
-- deleted: only
-- index:   PRIMARY
-- reads:   n/a: one for each id that is given
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
SELECT c.id AS id
FROM conversations AS c FORCE INDEX (PRIMARY)
WHERE
    c.id IN :conversation_ids
    AND c.deleted_at < :deleted_before
ORDER BY c.id ASC
LIMIT 10000
FOR UPDATE
