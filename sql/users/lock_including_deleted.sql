-- Lock a user, live or deleted, whose account ends.
--
-- returns: find User
-- param:   user_id      BINARY(16)   the user
-- access:  n/a
-- deleted: included
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
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
WHERE u.id = :user_id
FOR UPDATE
