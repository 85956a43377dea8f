-- Create a user.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   email        VARCHAR(254) trimmed, NFC, lower case
-- param:   full_name    VARCHAR(100) shown to others
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO users
(id, email, full_name, created_at, updated_at, deleted_at)
VALUES
(:user_id, :email, :full_name, :now, :now, NULL)
