-- Lock the live prompt that waits longest and that nobody else is taking.
--
-- returns: find UUID
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   ix_prompts_queue
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY, X,REC_NOT_GAP prompts.ix_prompts_queue
SELECT q.id AS id
FROM prompts AS q FORCE INDEX (ix_prompts_queue)
WHERE
    q.status = 'pending'
    AND q.deleted_at IS NULL
    AND q.queued_at <= :now
ORDER BY
    q.queued_at ASC,
    q.id ASC
LIMIT 1
FOR UPDATE SKIP LOCKED
