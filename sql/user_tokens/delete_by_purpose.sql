-- Revoke the token that a user has for a purpose.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   purpose      VARCHAR(18)  password_reset or email_verification
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP user_tokens.PRIMARY
DELETE FROM user_tokens
WHERE
    user_id = :user_id
    AND purpose = :purpose
