-- Count the live users.
--
-- returns: value int
-- access:  system
-- deleted: excluded
-- index:   full scan: a count of all, for operators
-- reads:   n/a: every user
-- locks:   none
SELECT COUNT(*) AS users
FROM users AS u
WHERE u.deleted_at IS NULL
