-- Revoke all shares of a conversation that is locked.
--
-- returns: affected
-- param:   now          DATETIME(6)  time of the change
-- param:   conversation_id BINARY(16)   the conversation
-- access:  n/a
-- deleted: n/a
-- index:   ix_conversation_shares_conversation
-- reads:   n/a: every share of it that there was, at most a few
-- locks:   X,REC_NOT_GAP conversation_shares.PRIMARY
-- locks:   X,REC_NOT_GAP conversation_shares.ix_conversation_shares_conversation
UPDATE conversation_shares FORCE INDEX (ix_conversation_shares_conversation)
SET
    revoked_at = :now,
    expires_at = LEAST(expires_at, :now),
    updated_at = GREATEST(updated_at, :now)
WHERE
    conversation_id = :conversation_id
    AND revoked_at IS NULL
