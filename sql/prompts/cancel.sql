-- Cancel a live prompt that waits or is processed; what was answered so far stays.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET
    status = 'cancelled',
    finished_at = :now,
    lease_owner = NULL,
    lease_until = NULL,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :prompt_id
    AND status IN ('pending', 'processing')
    AND deleted_at IS NULL
