-- Record a log-in, if the account is as it was when the password was compared.
--
-- Comparing takes a while: meanwhile other guesses may have locked the account, an admin may have
-- deactivated it, or the password may be another. Then no row matches, and nobody is logged in.
--
-- The time of a log-in is never before the last change of the credentials, however coarse the
-- clock: whoever refuses what is older than that change does not refuse this log-in.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   known_updated_at DATETIME(6) when the account that was compared had changed last
-- param:   password_hash VARCHAR(255) NULL argon2id, PHC string; NULL leaves the one that is there
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    failed_logins = 0,
    locked_until = NULL,
    last_login_at = GREATEST(COALESCE(last_login_at, :now), credentials_changed_at, :now),
    password_hash = COALESCE(:password_hash, password_hash)
WHERE
    id = :user_id
    AND deleted_at IS NULL
    AND is_active = TRUE
    AND (
        locked_until IS NULL
        OR locked_until <= :now
    )
    AND password_hash IS NOT NULL
    AND updated_at = :known_updated_at
