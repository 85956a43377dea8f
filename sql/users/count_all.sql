-- Count the live users.
--
-- returns: value int
-- access:  system
-- deleted: excluded
-- index:   ix_users_created
-- reads:   rows + 1
-- locks:   none
SELECT COUNT(*) AS users
FROM users AS u FORCE INDEX (ix_users_created)
WHERE u.deleted_at IS NULL
