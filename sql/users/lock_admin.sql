-- Lock the actor, a live and active admin, against a change of that.
--
-- returns: find UUID
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   S,REC_NOT_GAP users.PRIMARY
SELECT u.id AS id
FROM users AS u
WHERE
    u.id = :actor_id
    AND u.role = 'admin'
    AND u.is_active = TRUE
    AND u.deleted_at IS NULL
LOCK IN SHARE MODE
