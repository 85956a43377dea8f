-- Take back the deletion of prompts of a conversation that is locked.
--
-- What was waiting or running then is cancelled: nobody has it any more.
--
-- returns: affected
-- param:   prompt_ids   BINARY(16)   the prompts
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: only
-- index:   PRIMARY
-- reads:   rows
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts FORCE INDEX (PRIMARY)
SET
    status = IF(status IN ('pending', 'processing'), 'cancelled', status),
    finished_at = COALESCE(finished_at, :now),
    lease_owner = NULL,
    lease_until = NULL,
    deleted_at = NULL,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id IN :prompt_ids
    AND deleted_at IS NOT NULL
