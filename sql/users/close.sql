-- End the account of a locked user: nothing tells who they were, or lets them in.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   email        VARCHAR(254) trimmed, NFC, lower case
-- param:   full_name    VARCHAR(100) shown to others
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: included
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    email = :email,
    full_name = :full_name,
    is_active = FALSE,
    email_verified_at = NULL,
    password_hash = NULL,
    failed_logins = 0,
    locked_until = NULL,
    last_login_at = NULL,
    preferences = '{}',
    updated_at = GREATEST(updated_at, :now),
    deleted_at = COALESCE(deleted_at, :now)
WHERE id = :user_id
