-- Count the public templates of live owners.
--
-- Left alone, both servers read all users and all their templates, the private ones too.
--
-- returns: value int
-- access:  public
-- deleted: excluded
-- index:   ix_templates_visibility_created, PRIMARY
-- reads:   2 * rows + 2 * passed + 1
-- locks:   none
SELECT COUNT(*) AS templates
FROM templates AS t FORCE INDEX (ix_templates_visibility_created)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    t.visibility = 'public'
    AND t.deleted_at IS NULL
