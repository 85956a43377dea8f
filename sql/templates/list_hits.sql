-- Read the hits of a search, and the start of their text, that the actor may see.
--
-- returns: many TemplateHitRow
-- param:   template_ids BINARY(16)   the templates
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   head_chars   INT          how much of the content to give
-- access:  public or actor or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   5 * rows + 2 * tags + 1
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
    COALESCE(LEFT(v.content, :head_chars), '') AS content_head
FROM templates AS t FORCE INDEX (PRIMARY)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN template_versions AS v
    ON
        t.id = v.template_id
        AND t.head_version = v.version
LEFT JOIN categories AS c ON t.category_id = c.id
WHERE
    t.id IN :template_ids
    AND t.deleted_at IS NULL
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
        OR :actor_is_system = TRUE
    )
ORDER BY t.id ASC
LIMIT 500
