-- Find a live user by address, for the system.
--
-- The address is looked up in the generated column: it holds the live ones.
--
-- returns: find User
-- param:   email        VARCHAR(254) trimmed, NFC, lower case
-- access:  system
-- deleted: excluded
-- index:   uq_users_email_live
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
WHERE u.email_live = :email
