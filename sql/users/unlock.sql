-- End the lock of a live user and forget the failed log-ins, where there are any.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   changed_at   DATETIME(6)  time of this change, later than the one before
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    failed_logins = 0,
    locked_until = NULL,
    updated_at = :changed_at
WHERE
    id = :user_id
    AND deleted_at IS NULL
    AND failed_logins > 0
