-- Page through the actor's live templates with their text, newest first.
--
-- The index is said: by their numbers alone, servers take ix_templates_deleted for its order, and
-- read past everybody's rows to find one owner's.
--
-- returns: many Template
-- param:   actor_id     BINARY(16)   who asks
-- param:   before_at    DATETIME(6)  time of the last row of the page before
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  actor
-- deleted: excluded
-- index:   ix_templates_owner_created, PRIMARY
-- reads:   4 * rows + 2 * tags + 3
-- locks:   none
SELECT STRAIGHT_JOIN
    t.id AS id,
    t.owner_id AS owner_id,
    t.name AS name,
    t.description AS description,
    t.author_name AS author_name,
    c.slug AS category,
    (
        SELECT STRAIGHT_JOIN COALESCE(JSON_ARRAYAGG(g.name), JSON_ARRAY())
        FROM template_tags AS tt
        INNER JOIN tags AS g ON tt.tag_id = g.id
        WHERE tt.template_id = t.id
    ) AS tags,
    t.visibility AS visibility,
    t.head_version AS head_version,
    t.use_count AS use_count,
    t.trend AS trend,
    t.rating_sum AS rating_sum,
    t.rating_count AS rating_count,
    t.forked_from_id AS forked_from_id,
    t.forked_from_version AS forked_from_version,
    t.created_at AS created_at,
    t.updated_at AS updated_at,
    t.deleted_at AS deleted_at,
    t.last_version AS last_version,
    v.content AS content,
    v.system_prompt AS system_prompt,
    v.variables AS variables
FROM templates AS t FORCE INDEX (ix_templates_owner_created)
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN template_versions AS v
    ON
        t.id = v.template_id
        AND t.head_version = v.version
LEFT JOIN categories AS c ON t.category_id = c.id
WHERE
    t.owner_id = :actor_id
    AND t.deleted_at IS NULL
    AND (
        t.created_at < :before_at
        OR (
            t.created_at = :before_at
            AND t.id < :before_id
        )
    )
ORDER BY
    t.created_at DESC,
    t.id DESC
LIMIT :limit_rows
