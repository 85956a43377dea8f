-- Lock a live user against deletion, before children are inserted.
--
-- returns: find UUID
-- param:   user_id      BINARY(16)   the user
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   S,REC_NOT_GAP users.PRIMARY
SELECT u.id AS id
FROM users AS u
WHERE
    u.id = :user_id
    AND u.deleted_at IS NULL
LOCK IN SHARE MODE
