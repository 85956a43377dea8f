-- Revoke all shares that the actor created.
--
-- returns: affected
-- param:   now          DATETIME(6)  time of the change
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: n/a
-- index:   ix_conversation_shares_creator
-- reads:   n/a: every share of it that there was, at most a few
-- locks:   X,REC_NOT_GAP conversation_shares.PRIMARY
-- locks:   X,REC_NOT_GAP conversation_shares.ix_conversation_shares_creator
UPDATE conversation_shares FORCE INDEX (ix_conversation_shares_creator)
SET
    revoked_at = :now,
    expires_at = LEAST(expires_at, :now),
    updated_at = GREATEST(updated_at, :now)
WHERE
    created_by = :actor_id
    AND revoked_at IS NULL
