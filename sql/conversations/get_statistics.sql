-- Count the live conversations of some owners by status, their totals and lengths.
--
-- Of one owner, or of everybody: a range of owners, so that one statement has the key for both.
-- Median and 95th percentile by nearest rank: the value at place ceil(p * n).
--
-- returns: one ConversationStatistics
-- param:   first_owner  BINARY(16)   whose: the first owner; zeros for everybody
-- param:   last_owner   BINARY(16)   whose: the last owner, the same one or the highest id
-- access:  n/a
-- deleted: excluded
-- index:   ix_conversations_owner_activity, PRIMARY
-- reads:   n/a: every live conversation of these owners
-- locks:   none
SELECT
    COUNT(*) AS conversations,
    COUNT(CASE WHEN r.status = 'active' THEN 1 END) AS active,
    COUNT(CASE WHEN r.status = 'paused' THEN 1 END) AS paused,
    COUNT(CASE WHEN r.status = 'completed' THEN 1 END) AS completed,
    COUNT(r.archived_at) AS archived,
    CAST(COALESCE(SUM(r.message_count), 0) AS SIGNED) AS messages,
    CAST(COALESCE(SUM(r.token_count), 0) AS SIGNED) AS tokens,
    CAST(COALESCE(SUM(r.cost), 0) AS DECIMAL(38, 18)) AS cost,
    CAST(COALESCE(MAX(
        CASE WHEN r.place = (r.n + 1) DIV 2 THEN r.message_count END
    ), 0) AS SIGNED) AS median_messages,
    CAST(COALESCE(MAX(
        CASE WHEN r.place = (95 * r.n + 99) DIV 100 THEN r.message_count END
    ), 0) AS SIGNED) AS p95_messages
FROM (
    SELECT STRAIGHT_JOIN
        c.status AS status,
        c.archived_at AS archived_at,
        c.message_count AS message_count,
        c.token_count AS token_count,
        c.cost AS cost,
        ROW_NUMBER() OVER (ORDER BY c.message_count, c.id) AS place,
        COUNT(*) OVER () AS n
    FROM conversations AS c FORCE INDEX (ix_conversations_owner_activity)
    INNER JOIN users AS o FORCE INDEX (PRIMARY)
        ON
            c.owner_id = o.id
            AND o.deleted_at IS NULL
    WHERE
        c.owner_id >= :first_owner
        AND c.owner_id <= :last_owner
        AND c.deleted_at IS NULL
) AS r
