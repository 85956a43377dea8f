-- List the users who have or had an address, newest first, for the system.
--
-- At most one of them is live; the others gave the address up when they were deleted.
--
-- returns: many User
-- param:   email        VARCHAR(254) trimmed, NFC, lower case
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: included
-- index:   ix_users_email
-- reads:   rows + 1
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
WHERE u.email = :email
ORDER BY u.id DESC
LIMIT :limit_rows
