-- List the live conversations of some owners by cost, most costly first.
--
-- Of one owner, or of everybody: a range of owners, so that one statement has the key for both.
--
-- returns: many ConversationCost
-- param:   first_owner  BINARY(16)   whose: the first owner; zeros for everybody
-- param:   last_owner   BINARY(16)   whose: the last owner, the same one or the highest id
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: excluded
-- index:   ix_conversations_owner_activity, PRIMARY
-- reads:   n/a: every live conversation of these owners, and they are sorted
-- locks:   none
SELECT STRAIGHT_JOIN
    c.id AS id,
    c.owner_id AS owner_id,
    c.title AS title,
    c.message_count AS message_count,
    c.token_count AS token_count,
    c.cost AS cost
FROM conversations AS c FORCE INDEX (ix_conversations_owner_activity)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    c.owner_id >= :first_owner
    AND c.owner_id <= :last_owner
    AND c.deleted_at IS NULL
ORDER BY
    c.cost DESC,
    c.id ASC
LIMIT :limit_rows
