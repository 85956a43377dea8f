-- Use a valid token up.
--
-- Of many who try at once, one finds the row; it goes with the change that the token allows.
--
-- returns: affected
-- param:   token_hash   BINARY(32)   SHA-256 of the token
-- param:   purpose      VARCHAR(18)  password_reset or email_verification
-- param:   now          DATETIME(6)  time of the change
-- access:  token
-- deleted: n/a
-- index:   uq_user_tokens_hash
-- reads:   1
-- locks:   X,REC_NOT_GAP user_tokens.PRIMARY, X,REC_NOT_GAP user_tokens.uq_user_tokens_hash
DELETE FROM user_tokens
WHERE
    token_hash = :token_hash
    AND purpose = :purpose
    AND expires_at > :now
