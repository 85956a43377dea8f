-- Find a live user by id: the actor, or anyone for the system.
--
-- returns: find User
-- param:   user_id      BINARY(16)   the user
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- access:  actor or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT
    u.id AS id,
    u.email AS email,
    u.full_name AS full_name,
    u.role AS role,
    u.is_active AS is_active,
    u.email_verified_at AS email_verified_at,
    u.credentials_changed_at AS credentials_changed_at,
    u.locked_until AS locked_until,
    u.last_login_at AS last_login_at,
    u.created_at AS created_at,
    u.updated_at AS updated_at,
    u.deleted_at AS deleted_at
FROM users AS u
WHERE
    u.id = :user_id
    AND u.deleted_at IS NULL
    AND (
        u.id = :actor_id
        OR :actor_is_system = TRUE
    )
