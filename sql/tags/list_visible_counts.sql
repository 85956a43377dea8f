-- Count the live templates that the actor may see by tag, most used first.
--
-- The order of the tables and the indexes are said: left alone, both servers take another plan at
-- each size, which may begin with the tags or with all templates.
--
-- returns: many TagCount
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   limit_rows   INT          the most rows to give
-- access:  public or actor
-- deleted: excluded
-- index:   ix_users_created, ix_templates_owner_created, PRIMARY
-- reads:   n/a: every row that the actor may see, and its tags
-- locks:   none
SELECT STRAIGHT_JOIN
    g.tag_key AS tag_key,
    g.name AS name,
    COUNT(*) AS templates
FROM users AS o FORCE INDEX (ix_users_created)
INNER JOIN templates AS t FORCE INDEX (ix_templates_owner_created) ON o.id = t.owner_id
INNER JOIN template_tags AS tt ON t.id = tt.template_id
INNER JOIN tags AS g ON tt.tag_id = g.id
WHERE
    o.deleted_at IS NULL
    AND t.deleted_at IS NULL
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
    )
GROUP BY
    g.id,
    g.tag_key,
    g.name
ORDER BY
    templates DESC,
    g.tag_key ASC
LIMIT :limit_rows
