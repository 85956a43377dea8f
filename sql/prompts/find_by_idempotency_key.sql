-- Find the live prompt that a key was given to in a conversation that is locked.
--
-- returns: find UUID
-- param:   conversation_id BINARY(16)   the conversation
-- param:   idempotency_key VARCHAR(100) NULL key of the caller; NULL is none
-- access:  n/a
-- deleted: excluded
-- index:   uq_prompts_idempotency
-- reads:   1
-- locks:   none
SELECT q.id AS id
FROM prompts AS q FORCE INDEX (uq_prompts_idempotency)
WHERE
    q.conversation_id = :conversation_id
    AND q.idempotency_key = :idempotency_key
    AND q.deleted_at IS NULL
