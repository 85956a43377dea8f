-- Count the live conversations of some owners that were created, by local day.
--
-- Of one owner, or of everybody: a range of owners, so that one statement has the key for both.
--
-- returns: many ConversationsOfDay
-- param:   utc_offset_s INT          seconds that local time is ahead of UTC
-- param:   first_owner  BINARY(16)   whose: the first owner; zeros for everybody
-- param:   last_owner   BINARY(16)   whose: the last owner, the same one or the highest id
-- param:   from_at      DATETIME(6)  start of the time that is counted
-- param:   until_at     DATETIME(6)  its end, not counted
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: excluded
-- index:   ix_conversations_owner_activity, PRIMARY
-- reads:   n/a: every live conversation of these owners
-- locks:   none
SELECT STRAIGHT_JOIN
    COALESCE(
        DATE(DATE_ADD(c.created_at, INTERVAL CAST(:utc_offset_s AS SIGNED) SECOND)),
        DATE '1000-01-01'
    ) AS day,
    COUNT(*) AS conversations
FROM conversations AS c FORCE INDEX (ix_conversations_owner_activity)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    c.owner_id >= :first_owner
    AND c.owner_id <= :last_owner
    AND c.deleted_at IS NULL
    AND c.created_at >= :from_at
    AND c.created_at < :until_at
GROUP BY day
ORDER BY day ASC
LIMIT :limit_rows
