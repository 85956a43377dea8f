-- Create a user.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   email        VARCHAR(254) trimmed, NFC, lower case
-- param:   full_name    VARCHAR(100) shown to others
-- param:   role         VARCHAR(6)   admin, user or viewer
-- param:   password_hash VARCHAR(255) NULL argon2id, PHC string; NULL is no password
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO users
(
    id,
    email,
    full_name,
    role,
    is_active,
    email_verified_at,
    password_hash,
    credentials_changed_at,
    failed_logins,
    locked_until,
    last_login_at,
    preferences,
    created_at,
    updated_at,
    deleted_at
)
VALUES
(
    :user_id,
    :email,
    :full_name,
    :role,
    TRUE,
    NULL,
    :password_hash,
    :now,
    0,
    NULL,
    NULL,
    '{}',
    :now,
    :now,
    NULL
)
