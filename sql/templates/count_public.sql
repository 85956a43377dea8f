-- Count the public templates of live owners.
--
-- returns: value int
-- access:  public
-- deleted: excluded
-- index:   ix_templates_visibility_created
-- reads:   3 * rows + 2
-- locks:   none
SELECT COUNT(*) AS templates
FROM templates AS t
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    t.visibility = 'public'
    AND t.deleted_at IS NULL
