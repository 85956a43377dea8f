-- Issue a token in place of the one that the user has for this purpose.
--
-- One row for a user and a purpose, by the key: a new token revokes the old one. The hash is of 256
-- random bits, so it is nobody else's: by uq_user_tokens_hash no row is ever met.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   purpose      VARCHAR(18)  password_reset or email_verification
-- param:   token_hash   BINARY(32)   SHA-256 of the token
-- param:   now          DATETIME(6)  time of the change
-- param:   expires_at   DATETIME(6)  not valid from this time on
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP users.PRIMARY, X,REC_NOT_GAP user_tokens.PRIMARY
INSERT INTO user_tokens
(user_id, purpose, token_hash, created_at, expires_at)
VALUES
(:user_id, :purpose, :token_hash, :now, :expires_at)
ON DUPLICATE KEY UPDATE
    token_hash = :token_hash,
    created_at = :now,
    expires_at = :expires_at
