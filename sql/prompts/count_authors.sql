-- Count who asked something since a time in the live conversations of some owners.
--
-- Of one owner, or of everybody: a range of owners, so that one statement has the key for both.
--
-- returns: value int
-- param:   first_owner  BINARY(16)   whose: the first owner; zeros for everybody
-- param:   last_owner   BINARY(16)   whose: the last owner, the same one or the highest id
-- param:   since_at     DATETIME(6)  with something said at this time or later
-- access:  n/a
-- deleted: excluded
-- index:   ix_conversations_owner_activity, PRIMARY, ix_prompts_conversation
-- reads:   n/a: every live prompt of these owners
-- locks:   none
SELECT STRAIGHT_JOIN COUNT(DISTINCT q.author_id) AS n
FROM conversations AS c FORCE INDEX (ix_conversations_owner_activity)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN prompts AS q FORCE INDEX (ix_prompts_conversation)
    ON
        c.id = q.conversation_id
        AND q.deleted_at IS NULL
WHERE
    c.owner_id >= :first_owner
    AND c.owner_id <= :last_owner
    AND c.deleted_at IS NULL
    AND q.created_at >= :since_at
