-- Count the live templates of a user, their uses and the ratings that they got.
--
-- returns: one TemplateNumbers
-- param:   owner_id     BINARY(16)   the owner
-- access:  n/a
-- deleted: excluded
-- index:   ix_templates_owner_created, PRIMARY
-- reads:   n/a: every live template of the user
-- locks:   none
SELECT STRAIGHT_JOIN
    COUNT(*) AS templates,
    COUNT(CASE WHEN t.visibility = 'public' THEN 1 END) AS public,
    CAST(COALESCE(SUM(t.use_count), 0) AS SIGNED) AS uses,
    CAST(COALESCE(SUM(t.rating_count), 0) AS SIGNED) AS ratings,
    CAST(COALESCE(SUM(t.rating_sum), 0) AS SIGNED) AS rating_sum
FROM templates AS t FORCE INDEX (ix_templates_owner_created)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    t.owner_id = :owner_id
    AND t.deleted_at IS NULL
