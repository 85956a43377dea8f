-- Change the cost of a prompt whose conversation is locked, by what was reckoned anew.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   cost         DECIMAL(38,18) US dollars
-- access:  n/a
-- deleted: included
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET cost = cost + :cost
WHERE id = :prompt_id
