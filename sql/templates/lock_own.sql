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
    t.head_version AS head_version,
    t.last_version AS last_version,
    t.updated_at AS updated_at
FROM templates AS t
WHERE
    t.id = :template_id
    AND t.owner_id = :actor_id
    AND t.deleted_at IS NULL
FOR UPDATE
