-- Lock a live template of the actor before it is changed.
--
-- returns: find TemplateRow
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP templates.PRIMARY
SELECT
    t.id AS id,
    t.owner_id AS owner_id,
    t.category_id AS category_id,
    t.name AS name,
    t.description AS description,
    t.author_name AS author_name,
    t.visibility AS visibility,
    t.head_version AS head_version,
    t.last_version AS last_version,
    t.rating_sum AS rating_sum,
    t.rating_count AS rating_count,
    t.created_at AS created_at,
    t.updated_at AS updated_at,
    t.deleted_at AS deleted_at
FROM templates AS t
WHERE
    t.id = :template_id
    AND t.owner_id = :actor_id
    AND t.deleted_at IS NULL
FOR UPDATE
