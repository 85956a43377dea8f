-- List live conversations in which nothing was said since a time, longest idle first.
--
-- Those that are archived are left out.
--
-- returns: many UUID
-- param:   idle_before  DATETIME(6)  with nothing said since this time
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: excluded
-- index:   ix_conversations_state, PRIMARY
-- reads:   2 * rows + 2 * passed + 1
-- locks:   none
SELECT STRAIGHT_JOIN c.id AS id
FROM conversations AS c FORCE INDEX (ix_conversations_state)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    c.deleted_at IS NULL
    AND c.archived_at IS NULL
    AND c.last_activity_at < :idle_before
ORDER BY
    c.last_activity_at ASC,
    c.id ASC
LIMIT :limit_rows
