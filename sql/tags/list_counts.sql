-- Count the live templates of live owners by tag, most used first, for the system.
--
-- returns: many TagCount
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: excluded
-- index:   full scan: numbers of all that somebody sees
-- reads:   n/a: every row that the actor may see, and its tags
-- locks:   none
SELECT
    g.tag_key AS tag_key,
    g.name AS name,
    COUNT(*) AS templates
FROM templates AS t
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN template_tags AS tt ON t.id = tt.template_id
INNER JOIN tags AS g ON tt.tag_id = g.id
WHERE
    t.deleted_at IS NULL
GROUP BY
    g.id,
    g.tag_key,
    g.name
ORDER BY
    templates DESC,
    g.tag_key ASC
LIMIT :limit_rows
