-- Lock templates of a user, the trash too, to remove them, the oldest first.
--
-- returns: many UUID
-- param:   owner_id     BINARY(16)   the owner
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: included
-- index:   ix_templates_owner
-- reads:   rows + 1
-- locks:   X,REC_NOT_GAP templates.PRIMARY, X,REC_NOT_GAP templates.ix_templates_owner
SELECT t.id AS id
FROM templates AS t FORCE INDEX (ix_templates_owner)
WHERE t.owner_id = :owner_id
ORDER BY
    t.created_at ASC,
    t.id ASC
LIMIT :limit_rows
FOR UPDATE
