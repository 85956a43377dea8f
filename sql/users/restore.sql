-- Take a user out of the trash.
--
-- Refused by uq_users_email_live when somebody has the address by now.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   now          DATETIME(6)  time of the change
-- access:  system
-- deleted: only
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    deleted_at = NULL,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :user_id
    AND deleted_at IS NOT NULL
