-- Lock a deleted prompt before it is restored; its conversation is locked.
--
-- returns: find PromptRow
-- param:   prompt_id    BINARY(16)   the prompt
-- access:  n/a
-- deleted: only
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
SELECT
    q.id AS id,
    q.conversation_id AS conversation_id,
    q.author_id AS author_id,
    q.sequence_number AS sequence_number,
    q.parent_sequence AS parent_sequence,
    q.status AS status,
    q.user_input AS user_input,
    q.response AS response,
    q.token_count AS token_count,
    q.cost AS cost,
    q.variation_group AS variation_group
FROM prompts AS q
WHERE
    q.id = :prompt_id
    AND q.deleted_at IS NOT NULL
FOR UPDATE
