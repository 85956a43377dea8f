-- Lock live public templates of a user, to keep them for others, the oldest first.
--
-- returns: many UUID
-- param:   owner_id     BINARY(16)   the owner
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: excluded
-- index:   ix_templates_owner_created
-- reads:   n/a: private ones are passed over
-- locks:   X,REC_NOT_GAP templates.PRIMARY
-- locks:   X,REC_NOT_GAP templates.ix_templates_owner_created
SELECT t.id AS id
FROM templates AS t FORCE INDEX (ix_templates_owner_created)
WHERE
    t.owner_id = :owner_id
    AND t.deleted_at IS NULL
    AND t.visibility = 'public'
ORDER BY
    t.created_at ASC,
    t.id ASC
LIMIT :limit_rows
FOR UPDATE
