-- Remove shares that ended long ago, the oldest first.
--
-- returns: affected
-- param:   expired_before DATETIME(6)  what ended before this time
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_conversation_shares_expiry
-- reads:   2 * rows + 1
-- locks:   X,REC_NOT_GAP conversation_shares.PRIMARY
-- locks:   X,REC_NOT_GAP conversation_shares.ix_conversation_shares_expiry
DELETE FROM conversation_shares
WHERE expires_at < :expired_before
ORDER BY expires_at ASC
LIMIT :limit_rows
