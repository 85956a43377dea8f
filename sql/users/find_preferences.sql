-- Find the preferences of a live user, for the system.
--
-- returns: find UserPreferences
-- param:   user_id      BINARY(16)   the user
-- access:  system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT u.preferences AS preferences
FROM users AS u
WHERE
    u.id = :user_id
    AND u.deleted_at IS NULL
