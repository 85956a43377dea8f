-- Put a live user into the trash; what the user owns is hidden with them, not stamped.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    deleted_at = :now,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :user_id
    AND deleted_at IS NULL
