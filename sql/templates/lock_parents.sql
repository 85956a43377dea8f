-- Lock the owner of new templates against deletion, and read the known categories.
--
-- One statement for both, so that a bulk insert of any size pays for it once. A row a category
-- found, or one row without a category; no row when the owner is not there.
--
-- returns: many TemplateParent
-- param:   owner_id     BINARY(16)   the owner
-- param:   slugs        VARCHAR(100) folded, words joined by hyphens
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY, uq_categories_slug
-- reads:   rows + 1
-- locks:   S,REC_NOT_GAP categories.PRIMARY, S,REC_NOT_GAP categories.uq_categories_slug
-- locks:   S,REC_NOT_GAP users.PRIMARY
SELECT
    o.id AS owner_id,
    c.id AS category_id,
    c.slug AS slug,
    c.name AS name
FROM users AS o
LEFT JOIN categories AS c ON c.slug IN :slugs
WHERE
    o.id = :owner_id
    AND o.deleted_at IS NULL
ORDER BY c.slug
LIMIT 10000
LOCK IN SHARE MODE
