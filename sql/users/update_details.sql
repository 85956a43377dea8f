-- Change the address and the name of a live user.
--
-- Refused by uq_users_email_live when another live user has the address.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   email        VARCHAR(254) trimmed, NFC, lower case
-- param:   full_name    VARCHAR(100) shown to others
-- param:   email_verified_at DATETIME(6) NULL when the address was shown as theirs; NULL is never
-- param:   changed_at   DATETIME(6)  time of this change, later than the one before
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    email = :email,
    full_name = :full_name,
    email_verified_at = :email_verified_at,
    updated_at = :changed_at
WHERE
    id = :user_id
    AND deleted_at IS NULL
