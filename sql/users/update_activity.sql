-- Let a live user log in, or not any more.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   is_active    BOOLEAN      whether the user may log in
-- param:   changed_at   DATETIME(6)  time of this change, later than the one before
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    is_active = :is_active,
    credentials_changed_at = :changed_at,
    updated_at = :changed_at
WHERE
    id = :user_id
    AND deleted_at IS NULL
