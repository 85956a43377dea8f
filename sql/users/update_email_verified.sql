-- Note that the address of a live user was shown to be theirs.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   email_verified_at DATETIME(6) NULL when the address was shown as theirs; NULL is never
-- param:   changed_at   DATETIME(6)  time of this change, later than the one before
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    email_verified_at = :email_verified_at,
    updated_at = :changed_at
WHERE
    id = :user_id
    AND deleted_at IS NULL
