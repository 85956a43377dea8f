-- Count the live templates of live owners by category, most used first, for the system.
--
-- returns: many CategoryCount
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: excluded
-- index:   full scan: numbers of everything, for operators
-- reads:   n/a: every live template
-- locks:   none
SELECT
    c.slug AS slug,
    c.name AS name,
    COUNT(*) AS templates
FROM templates AS t
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
LEFT JOIN categories AS c ON t.category_id = c.id
WHERE t.deleted_at IS NULL
GROUP BY
    c.slug,
    c.name
ORDER BY
    templates DESC,
    c.slug ASC
LIMIT :limit_rows
