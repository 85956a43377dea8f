-- Write what an attempt costs after its prices were looked up again.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   attempt      SMALLINT UNSIGNED how often it was started
-- param:   cost         DECIMAL(38,18) US dollars
-- param:   cost_source  VARCHAR(7)   table, partial, caller or none
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP usage_records.PRIMARY
UPDATE usage_records
SET
    cost = :cost,
    cost_source = :cost_source
WHERE
    prompt_id = :prompt_id
    AND attempt = :attempt
