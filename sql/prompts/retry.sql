-- Have a live prompt that failed wait again, if attempts are left.
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
    status = 'pending',
    queued_at = :now,
    finished_at = NULL,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :prompt_id
    AND status = 'failed'
    AND attempt < max_attempts
    AND deleted_at IS NULL
