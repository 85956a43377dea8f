-- Revoke a share that is locked.
--
-- returns: affected
-- param:   now          DATETIME(6)  time of the change
-- param:   share_id     BINARY(16)   the share
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversation_shares.PRIMARY
UPDATE conversation_shares
SET
    revoked_at = :now,
    expires_at = LEAST(expires_at, :now),
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :share_id
    AND revoked_at IS NULL
