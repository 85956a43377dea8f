-- List conversations that are in a trash since before a time, deleted first first.
--
-- returns: many UUID
-- param:   deleted_before DATETIME(6)  only what was deleted before
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: only
-- index:   ix_conversations_state
-- reads:   rows + 1
-- locks:   none
SELECT c.id AS id
FROM conversations AS c FORCE INDEX (ix_conversations_state)
WHERE c.deleted_at < :deleted_before
ORDER BY
    c.deleted_at ASC,
    c.archived_at ASC,
    c.last_activity_at ASC,
    c.id ASC
LIMIT :limit_rows
