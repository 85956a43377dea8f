-- Have prompts wait again whose lease has ended, the longest ended first.
--
-- What was started as often as it may be fails. What has a lease is processed; nobody claims
-- what is deleted meanwhile.
--
-- returns: affected
-- param:   now          DATETIME(6)  time of the change
-- param:   limit_rows   INT          the most rows to give
-- access:  n/a
-- deleted: included
-- index:   ix_prompts_lease
-- reads:   n/a: as many as are requeued
-- locks:   X,REC_NOT_GAP prompts.PRIMARY, X,REC_NOT_GAP prompts.ix_prompts_lease
UPDATE prompts FORCE INDEX (ix_prompts_lease)
SET
    status = IF(attempt < max_attempts, 'pending', 'failed'),
    queued_at = IF(attempt < max_attempts, :now, queued_at),
    finished_at = IF(attempt < max_attempts, finished_at, :now),
    error_code = 'lease_expired',
    lease_owner = NULL,
    lease_until = NULL,
    updated_at = GREATEST(updated_at, :now)
WHERE
    lease_until <= :now
ORDER BY
    lease_until ASC,
    id ASC
LIMIT :limit_rows
