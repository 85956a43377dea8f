-- Write the preferences of a live user.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   preferences  JSON         an object
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET preferences = :preferences
WHERE
    id = :user_id
    AND deleted_at IS NULL
