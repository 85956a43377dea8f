-- Count the live templates that the actor may see by category, most used first.
--
-- returns: many CategoryCount
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   limit_rows   INT          the most rows to give
-- access:  public or actor
-- deleted: excluded
-- index:   full scan: numbers of all that somebody sees
-- reads:   n/a: every row that the actor may see
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
WHERE
    t.deleted_at IS NULL
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
    )
GROUP BY
    c.slug,
    c.name
ORDER BY
    templates DESC,
    c.slug ASC
LIMIT :limit_rows
