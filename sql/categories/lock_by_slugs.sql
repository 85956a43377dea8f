-- Lock categories in order of their slugs, to rename or merge them.
--
-- returns: many Category
-- param:   slugs        VARCHAR(100) folded, words joined by hyphens
-- access:  n/a
-- deleted: n/a
-- index:   uq_categories_slug
-- reads:   rows
-- locks:   X,REC_NOT_GAP categories.uq_categories_slug, X,REC_NOT_GAP categories.PRIMARY
SELECT
    c.id AS id,
    c.slug AS slug,
    c.name AS name
FROM categories AS c
WHERE c.slug IN :slugs
ORDER BY c.slug
LIMIT 10000
FOR UPDATE
