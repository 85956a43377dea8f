-- Extend the lease of a worker on a live prompt; it does not become shorter.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   lease_owner  VARCHAR(100) NULL which worker has it; NULL is none
-- param:   lease_until  DATETIME(6) NULL when another worker may have it; NULL is never
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET lease_until = GREATEST(lease_until, :lease_until)
WHERE
    id = :prompt_id
    AND lease_owner = :lease_owner
    AND deleted_at IS NULL
