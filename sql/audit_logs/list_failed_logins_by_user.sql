-- Count the failed log-ins of a time by user, most failures first.
--
-- returns: many FailedLoginsOfUser
-- param:   from_at      DATETIME(6)  start of the time that is counted
-- param:   until_at     DATETIME(6)  its end, not counted
-- param:   least_failures INT        those with fewer are left out
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_audit_logs_security
-- reads:   n/a: what the security log has of the time that is asked for
-- locks:   none
SELECT
    a.target_id AS user_id,
    COUNT(*) AS failures,
    -- Never NULL, which the servers do not know of a group.
    COALESCE(MIN(a.occurred_at), TIMESTAMP '1000-01-01 00:00:00') AS first_at,
    COALESCE(MAX(a.occurred_at), TIMESTAMP '1000-01-01 00:00:00') AS last_at
FROM audit_logs AS a FORCE INDEX (ix_audit_logs_security)
WHERE
    a.security_at >= :from_at
    AND a.security_at < :until_at
    AND a.action = 'user.authenticate'
    AND a.outcome = 'failure'
GROUP BY a.target_id
HAVING COUNT(*) >= :least_failures
ORDER BY
    failures DESC,
    a.target_id ASC
LIMIT :limit_rows
