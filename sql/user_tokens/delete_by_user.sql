-- Revoke all tokens of a user.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows + 1
-- locks:   X,REC_NOT_GAP user_tokens.PRIMARY
DELETE FROM user_tokens
WHERE user_id = :user_id
