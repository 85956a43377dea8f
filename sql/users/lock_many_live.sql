-- Lock live users against deletion, the oldest account first.
--
-- returns: many UUID
-- param:   user_ids     BINARY(16)   the users
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   rows
-- locks:   S,REC_NOT_GAP users.PRIMARY
SELECT u.id AS id
FROM users AS u FORCE INDEX (PRIMARY)
WHERE
    u.id IN :user_ids
    AND u.deleted_at IS NULL
ORDER BY u.id ASC
LIMIT 10000
LOCK IN SHARE MODE
