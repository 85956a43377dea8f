-- Count a failed log-in, and lock the account when there were too many.
--
-- One statement, so that parallel guesses are counted one after the other; where the account is
-- locked no row matches. It gives the number of the failure: after a lock has ended, the first
-- again. Assignments go from left to right: locked_until sees the new count.
--
-- returns: last_id
-- param:   user_id      BINARY(16)   the user
-- param:   max_failures INT UNSIGNED the failure that locks
-- param:   lock_until   DATETIME(6)  when a lock that is set now ends
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
UPDATE users
SET
    failed_logins = LAST_INSERT_ID(IF(locked_until IS NULL, failed_logins + 1, 1)),
    locked_until = CASE WHEN failed_logins >= :max_failures THEN :lock_until END
WHERE
    id = :user_id
    AND deleted_at IS NULL
    AND (
        locked_until IS NULL
        OR locked_until <= :now
    )
