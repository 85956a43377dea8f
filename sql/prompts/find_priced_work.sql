-- Find a live prompt with the prices of its model, for who takes part in it.
--
-- Which of the prices hold is one rule, which the application has: a model has few.
--
-- returns: find PricedWork
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   model        VARCHAR(200) NULL name of the model
-- access:  participant or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   n/a: as prompts/find_work, and each price of the model
-- locks:   none
SELECT
    q.id AS id,
    q.conversation_id AS conversation_id,
    c.owner_id AS owner_id,
    q.author_id AS author_id,
    q.sequence_number AS sequence_number,
    q.status AS status,
    q.user_input AS user_input,
    q.response AS response,
    q.template_id AS template_id,
    q.template_version AS template_version,
    q.provider AS provider,
    q.model AS model,
    q.token_count AS token_count,
    q.cost AS cost,
    q.attempt AS attempt,
    q.max_attempts AS max_attempts,
    q.finish_reason AS finish_reason,
    q.latency_ms AS latency_ms,
    q.first_token_ms AS first_token_ms,
    q.lease_owner AS lease_owner,
    p.role AS role,
    p.can_write AS can_write,
    (
        SELECT
            COALESCE(JSON_ARRAYAGG(
                JSON_OBJECT(
                    'model',
                    m.model,
                    'provider',
                    m.provider,
                    'effective_from',
                    CAST(m.effective_from AS CHAR),
                    'usage_type',
                    m.usage_type,
                    'unit_price',
                    CAST(m.unit_price AS CHAR)
                )
            ), JSON_ARRAY())
        FROM model_prices AS m
        WHERE m.model = COALESCE(:model, q.model)
    ) AS prices
FROM prompts AS q
INNER JOIN conversations AS c
    ON
        q.conversation_id = c.id
        AND c.deleted_at IS NULL
INNER JOIN users AS o
    ON
        c.owner_id = o.id
        AND o.deleted_at IS NULL
LEFT JOIN conversation_participants AS p
    ON
        c.id = p.conversation_id
        AND p.user_id = :actor_id
LEFT JOIN users AS a
    ON
        p.user_id = a.id
        AND a.deleted_at IS NULL
WHERE
    q.id = :prompt_id
    AND q.deleted_at IS NULL
    AND (
        a.id IS NOT NULL
        OR :actor_is_system = TRUE
    )
