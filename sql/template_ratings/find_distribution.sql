-- Count the ratings of live users of a live template that the actor may see by rating.
--
-- No row when there is no such template; five zeros when nobody rated it.
--
-- returns: find RatingDistribution
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- access:  public or actor or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   n/a: every rating of the template
-- locks:   none
SELECT STRAIGHT_JOIN
    COUNT(CASE WHEN r.rating = 1 THEN 1 END) AS ones,
    COUNT(CASE WHEN r.rating = 2 THEN 1 END) AS twos,
    COUNT(CASE WHEN r.rating = 3 THEN 1 END) AS threes,
    COUNT(CASE WHEN r.rating = 4 THEN 1 END) AS fours,
    COUNT(CASE WHEN r.rating = 5 THEN 1 END) AS fives
FROM templates AS t
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
LEFT JOIN ( -- noqa: ST11
    template_ratings AS r FORCE INDEX (PRIMARY)
    INNER JOIN users AS u FORCE INDEX (PRIMARY)
        ON
            r.user_id = u.id
            AND u.deleted_at IS NULL
) ON t.id = r.template_id
WHERE
    t.id = :template_id
    AND t.deleted_at IS NULL
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
        OR :actor_is_system = TRUE
    )
GROUP BY t.id
