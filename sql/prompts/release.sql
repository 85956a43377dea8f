-- Have a live prompt wait again that its worker gives back; that counts as no attempt.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   lease_owner  VARCHAR(100) NULL which worker has it; NULL is none
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET
    status = 'pending',
    attempt = attempt - 1,
    lease_owner = NULL,
    lease_until = NULL,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :prompt_id
    AND lease_owner = :lease_owner
    AND deleted_at IS NULL
