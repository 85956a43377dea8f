-- Begin the next attempt of a live prompt that waits.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   lease_owner  VARCHAR(100) NULL which worker has it; NULL is none
-- param:   lease_until  DATETIME(6) NULL when another worker may have it; NULL is never
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET
    status = 'processing',
    attempt = attempt + 1,
    response = NULL,
    error_code = NULL,
    error_message = NULL,
    started_at = :now,
    lease_owner = :lease_owner,
    lease_until = :lease_until,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :prompt_id
    AND status = 'pending'
    AND deleted_at IS NULL
