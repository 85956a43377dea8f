-- Give a live user another role.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   role         VARCHAR(6)   admin, user or viewer
-- param:   changed_at   DATETIME(6)  time of this change, later than the one before
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    role = :role,
    credentials_changed_at = :changed_at,
    updated_at = :changed_at
WHERE
    id = :user_id
    AND deleted_at IS NULL
