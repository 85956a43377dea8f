-- Count the live users by role, state and last log-in, for the system.
--
-- returns: one UserStatistics
-- param:   now          DATETIME(6)  time of the change
-- param:   day_ago      DATETIME(6)  24 hours before
-- param:   week_ago     DATETIME(6)  7 * 24 hours before
-- param:   month_ago    DATETIME(6)  30 * 24 hours before
-- access:  system
-- deleted: excluded
-- index:   full scan: numbers of everything, for operators
-- reads:   n/a: every user
-- locks:   none
SELECT
    COUNT(*) AS total,
    COUNT(CASE WHEN u.is_active = TRUE THEN 1 END) AS active,
    COUNT(CASE WHEN u.is_active = FALSE THEN 1 END) AS inactive,
    COUNT(CASE WHEN u.role = 'admin' THEN 1 END) AS admins,
    COUNT(CASE WHEN u.role = 'user' THEN 1 END) AS users,
    COUNT(CASE WHEN u.role = 'viewer' THEN 1 END) AS viewers,
    COUNT(u.email_verified_at) AS email_verified,
    COUNT(CASE WHEN u.locked_until > :now THEN 1 END) AS locked,
    COUNT(CASE WHEN u.last_login_at IS NULL THEN 1 END) AS never_logged_in,
    COUNT(CASE WHEN u.last_login_at >= :day_ago THEN 1 END) AS daily_active,
    COUNT(CASE WHEN u.last_login_at >= :week_ago THEN 1 END) AS weekly_active,
    COUNT(CASE WHEN u.last_login_at >= :month_ago THEN 1 END) AS monthly_active
FROM users AS u FORCE INDEX (PRIMARY)
WHERE u.deleted_at IS NULL
