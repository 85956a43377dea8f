-- Count the live users who were created, by local day.
--
-- The time that is asked for is one in which local time is ahead of UTC by the same number of
-- seconds: who calls cuts it where the clocks change. Days without a new user give no row.
--
-- returns: many UsersOfDay
-- param:   from_at      DATETIME(6)  start of the time that is counted
-- param:   until_at     DATETIME(6)  its end, not counted
-- param:   utc_offset_s INT          seconds that local time is ahead of UTC
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: excluded
-- index:   ix_users_created
-- reads:   n/a: the users of the time that is asked for
-- locks:   none
SELECT
    -- Never NULL, which the servers do not know of a date that is computed. MySQL takes seconds
    -- for decimals unless it is told.
    COALESCE(
        DATE(DATE_ADD(u.created_at, INTERVAL CAST(:utc_offset_s AS SIGNED) SECOND)),
        DATE '1000-01-01'
    ) AS day,
    COUNT(*) AS users
FROM users AS u FORCE INDEX (ix_users_created)
WHERE
    u.deleted_at IS NULL
    AND u.created_at >= :from_at
    AND u.created_at < :until_at
GROUP BY day
ORDER BY day ASC
LIMIT :limit_rows
