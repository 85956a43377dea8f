-- Read live prompts that a search found, if the actor takes part in their conversations.
--
-- returns: many Prompt
-- param:   prompt_ids   BINARY(16)   the prompts
-- param:   actor_id     BINARY(16)   who asks
-- access:  participant
-- deleted: excluded
-- index:   PRIMARY
-- reads:   5 * rows + 2 * passed
-- locks:   none
SELECT STRAIGHT_JOIN
    q.id AS id,
    q.conversation_id AS conversation_id,
    q.author_id AS author_id,
    q.sequence_number AS sequence_number,
    q.parent_sequence AS parent_sequence,
    q.status AS status,
    q.user_input AS user_input,
    q.system_prompt AS system_prompt,
    q.response AS response,
    q.template_id AS template_id,
    q.template_version AS template_version,
    q.provider AS provider,
    q.model AS model,
    q.settings AS settings,
    q.token_count AS token_count,
    q.cost AS cost,
    q.attempt AS attempt,
    q.max_attempts AS max_attempts,
    q.error_code AS error_code,
    q.error_message AS error_message,
    q.finish_reason AS finish_reason,
    q.queued_at AS queued_at,
    q.started_at AS started_at,
    q.finished_at AS finished_at,
    q.latency_ms AS latency_ms,
    q.first_token_ms AS first_token_ms,
    q.idempotency_key AS idempotency_key,
    q.variation_group AS variation_group,
    q.variation_number AS variation_number,
    q.is_selected AS is_selected,
    q.rating AS rating,
    q.feedback AS feedback,
    q.rated_at AS rated_at,
    q.created_at AS created_at,
    q.updated_at AS updated_at,
    q.deleted_at AS deleted_at
FROM prompts AS q FORCE INDEX (PRIMARY)
INNER JOIN conversations AS c FORCE INDEX (PRIMARY)
    ON
        q.conversation_id = c.id
        AND c.deleted_at IS NULL
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN conversation_participants AS p FORCE INDEX (PRIMARY)
    ON
        c.id = p.conversation_id
        AND p.user_id = :actor_id
INNER JOIN users AS a FORCE INDEX (PRIMARY)
    ON
        p.user_id = a.id
        AND a.deleted_at IS NULL
WHERE
    q.id IN :prompt_ids
    AND q.deleted_at IS NULL
ORDER BY q.id
LIMIT 500
