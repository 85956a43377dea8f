-- Find when the password, role or activity of a user changed last.
--
-- No row for who is deleted or not active: whatever they hold is to be refused.
--
-- returns: find datetime
-- param:   user_id      BINARY(16)   the user
-- access:  system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT u.credentials_changed_at AS credentials_changed_at
FROM users AS u
WHERE
    u.id = :user_id
    AND u.deleted_at IS NULL
    AND u.is_active = TRUE
