-- Change how long, how often and how far a share that is locked is valid.
--
-- returns: affected
-- param:   expires_at   DATETIME(6)  not valid from this time on
-- param:   max_views    INT UNSIGNED NULL how often it is opened; NULL is any number
-- param:   through_sequence INT UNSIGNED the last prompt that is shown, 0 for none
-- param:   now          DATETIME(6)  time of the change
-- param:   share_id     BINARY(16)   the share
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversation_shares.PRIMARY
UPDATE conversation_shares
SET
    expires_at = :expires_at,
    max_views = :max_views,
    through_sequence = :through_sequence,
    updated_at = :now
WHERE
    id = :share_id
    AND revoked_at IS NULL
