-- Find the conversation of a prompt, which is locked before the prompt.
--
-- returns: find UUID
-- param:   prompt_id    BINARY(16)   the prompt
-- access:  n/a
-- deleted: included
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT q.conversation_id AS conversation_id
FROM prompts AS q
WHERE q.id = :prompt_id
