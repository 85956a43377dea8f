-- Count the shares that some users created, their views, and what became of them.
--
-- Of one owner, or of everybody: a range of owners, so that one statement has the key for both.
-- Those that were purged are not counted any more.
--
-- returns: one ShareStatistics
-- param:   now          DATETIME(6)  time of the change
-- param:   first_owner  BINARY(16)   whose: the first owner; zeros for everybody
-- param:   last_owner   BINARY(16)   whose: the last owner, the same one or the highest id
-- access:  n/a
-- deleted: n/a
-- index:   ix_conversation_shares_creator
-- reads:   n/a: every share of these users
-- locks:   none
SELECT
    COUNT(*) AS created,
    COUNT(s.last_viewed_at) AS viewed,
    CAST(COALESCE(SUM(s.view_count), 0) AS SIGNED) AS views,
    COUNT(s.revoked_at) AS revoked,
    COUNT(CASE WHEN s.revoked_at IS NULL AND s.expires_at <= :now THEN 1 END) AS expired
FROM conversation_shares AS s FORCE INDEX (ix_conversation_shares_creator)
WHERE
    s.created_by >= :first_owner
    AND s.created_by <= :last_owner
