-- Set the password of a live user, and end a lock.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   password_hash VARCHAR(255) argon2id, PHC string
-- param:   changed_at   DATETIME(6)  time of this change, later than the one before
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    password_hash = :password_hash,
    failed_logins = 0,
    locked_until = NULL,
    credentials_changed_at = :changed_at,
    updated_at = :changed_at
WHERE
    id = :user_id
    AND deleted_at IS NULL
