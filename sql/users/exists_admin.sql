-- Tell whether the actor is a live, active admin.
--
-- returns: value bool
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT EXISTS(
    SELECT 1
    FROM users AS u
    WHERE
        u.id = :actor_id
        AND u.role = 'admin'
        AND u.is_active = TRUE
        AND u.deleted_at IS NULL
) AS is_admin
