-- Append to the answer of a live prompt in process, if it is as long as was seen.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   lease_owner  VARCHAR(100) NULL which worker has it; NULL is none
-- param:   response_part MEDIUMTEXT   what the answer goes on with
-- param:   offset_chars INT UNSIGNED how many characters it had before
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET
    response = CONCAT(COALESCE(response, ''), :response_part),
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :prompt_id
    AND status = 'processing'
    AND deleted_at IS NULL
    AND lease_owner <=> :lease_owner
    AND CHAR_LENGTH(COALESCE(response, '')) = :offset_chars
