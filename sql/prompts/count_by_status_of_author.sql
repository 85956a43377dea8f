-- Count the live prompts of who asked them by where they stand.
--
-- returns: many PromptsOfStatus
-- param:   author_id    BINARY(16)   the participant who asked
-- access:  n/a
-- deleted: excluded
-- index:   ix_prompts_author, PRIMARY
-- reads:   n/a: every prompt of the author, its conversation and the owner of that
-- locks:   none
SELECT STRAIGHT_JOIN
    q.status AS status,
    COUNT(*) AS prompts
FROM prompts AS q FORCE INDEX (ix_prompts_author)
INNER JOIN conversations AS c FORCE INDEX (PRIMARY)
    ON
        q.conversation_id = c.id
        AND c.deleted_at IS NULL
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    q.author_id = :author_id
    AND q.deleted_at IS NULL
GROUP BY q.status
ORDER BY q.status
LIMIT 10
