-- Find the live, active user to whom a valid token belongs.
--
-- returns: find UUID
-- param:   token_hash   BINARY(32)   SHA-256 of the token
-- param:   purpose      VARCHAR(18)  password_reset or email_verification
-- param:   now          DATETIME(6)  time of the change
-- access:  token
-- deleted: excluded
-- index:   uq_user_tokens_hash, PRIMARY
-- reads:   2 * rows
-- locks:   none
SELECT t.user_id AS user_id
FROM user_tokens AS t
INNER JOIN users AS u
    ON
        t.user_id = u.id
        AND u.deleted_at IS NULL
        AND u.is_active = TRUE
WHERE
    t.token_hash = :token_hash
    AND t.purpose = :purpose
    AND t.expires_at > :now
