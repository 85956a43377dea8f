-- Find the preferences of a live user: the actor's, or anyone's for the system.
--
-- returns: find UserPreferences
-- param:   user_id      BINARY(16)   the user
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- access:  actor or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT u.preferences AS preferences
FROM users AS u
WHERE
    u.id = :user_id
    AND u.deleted_at IS NULL
    AND (
        u.id = :actor_id
        OR :actor_is_system = TRUE
    )
