-- Find the actor's own preferences.
--
-- returns: find UserPreferences
-- param:   actor_id     BINARY(16)   who asks
-- param:   user_id      BINARY(16)   the user
-- access:  actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT u.preferences AS preferences
FROM users AS u
WHERE
    u.id = :user_id
    AND u.id = :actor_id
    AND u.deleted_at IS NULL
