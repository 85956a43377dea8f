-- Count all live templates of live owners, for the system.
--
-- returns: value int
-- access:  system
-- deleted: excluded
-- index:   full scan: a count of all, for operators
-- reads:   n/a: every user, and every live template of live users
-- locks:   none
SELECT COUNT(*) AS templates
FROM templates AS t
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE t.deleted_at IS NULL
