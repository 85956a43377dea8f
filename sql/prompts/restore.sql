-- Take back the deletion of a prompt that is locked.
--
-- What was waiting or running then is cancelled: nobody has it any more.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: only
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET
    status = IF(status IN ('pending', 'processing'), 'cancelled', status),
    finished_at = COALESCE(finished_at, :now),
    lease_owner = NULL,
    lease_until = NULL,
    deleted_at = NULL,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :prompt_id
    AND deleted_at IS NOT NULL
