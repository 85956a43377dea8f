-- Count the ratings that a user gave to live templates that they may see.
--
-- returns: one RatingsGiven
-- param:   user_id      BINARY(16)   the user
-- access:  n/a
-- deleted: excluded
-- index:   ix_template_ratings_user, PRIMARY
-- reads:   n/a: every rating of the user, its template and the owner of that
-- locks:   none
SELECT STRAIGHT_JOIN
    COUNT(*) AS ratings,
    CAST(COALESCE(SUM(r.rating), 0) AS SIGNED) AS rating_sum
FROM template_ratings AS r FORCE INDEX (ix_template_ratings_user)
INNER JOIN templates AS t FORCE INDEX (PRIMARY)
    ON
        r.template_id = t.id
        AND t.deleted_at IS NULL
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    r.user_id = :user_id
    AND (
        t.visibility = 'public'
        OR t.owner_id = r.user_id
    )
