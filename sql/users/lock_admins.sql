-- Lock the live, active admins, before one of them stops being one.
--
-- Always from the oldest on: two who demote each other meet at the first row, and the second sees
-- what the first has done. Admins who are not active are read and passed over.
--
-- returns: many UUID
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: excluded
-- index:   ix_users_role
-- reads:   n/a: the live admins, those who are not active too
-- locks:   X,REC_NOT_GAP users.PRIMARY, X,REC_NOT_GAP users.ix_users_role
SELECT u.id AS id
FROM users AS u FORCE INDEX (ix_users_role)
WHERE
    u.deleted_at IS NULL
    AND u.role = 'admin'
    AND u.is_active = TRUE
ORDER BY
    u.created_at ASC,
    u.id ASC
LIMIT :limit_rows
FOR UPDATE
