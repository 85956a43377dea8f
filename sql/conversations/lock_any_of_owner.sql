-- Lock conversations of a user, the trash too, to remove them, the oldest first.
--
-- returns: many UUID
-- param:   owner_id     BINARY(16)   the owner
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: included
-- index:   ix_conversations_owner
-- reads:   rows + 1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY, X,REC_NOT_GAP conversations.ix_conversations_owner
SELECT c.id AS id
FROM conversations AS c FORCE INDEX (ix_conversations_owner)
WHERE c.owner_id = :owner_id
ORDER BY c.id ASC
LIMIT :limit_rows
FOR UPDATE
