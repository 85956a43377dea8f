-- Page through the actor's live templates, newest first.
--
-- returns: many TemplateSummary
-- param:   actor_id     BINARY(16)   who asks
-- param:   before_at    DATETIME(6)  created_at of the last row of the page before
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          1 to 501
-- access:  actor
-- deleted: excluded
-- index:   ix_templates_owner_created
-- reads:   2 * rows + 2 * tags + 2
-- locks:   none
SELECT
    t.id AS id,
    t.owner_id AS owner_id,
    t.name AS name,
    t.description AS description,
    t.author_name AS author_name,
    c.slug AS category,
    (
        SELECT COALESCE(JSON_ARRAYAGG(g.name), JSON_ARRAY())
        FROM template_tags AS tt
        INNER JOIN tags AS g ON tt.tag_id = g.id
        WHERE tt.template_id = t.id
    ) AS tags,
    t.visibility AS visibility,
    t.head_version AS head_version,
    t.created_at AS created_at,
    t.updated_at AS updated_at,
    t.deleted_at AS deleted_at
FROM templates AS t
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
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
