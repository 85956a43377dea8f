-- List templates that have long been in a trash, oldest first, for retention.
--
-- Rows that somebody else has locked are left for the next run.
--
-- returns: many UUID
-- param:   deleted_before DATETIME(6)  only what was deleted before
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: only
-- index:   ix_templates_deleted
-- reads:   rows
-- locks:   X,REC_NOT_GAP templates.PRIMARY, X,REC_NOT_GAP templates.ix_templates_deleted
SELECT t.id AS id
FROM templates AS t
WHERE t.deleted_at < :deleted_before
ORDER BY
    t.deleted_at ASC,
    t.created_at ASC,
    t.id ASC
LIMIT :limit_rows
FOR UPDATE
SKIP LOCKED
