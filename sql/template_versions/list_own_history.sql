-- List all versions of some live templates of the actor with their text, in order.
--
-- returns: many TemplateVersion
-- param:   template_ids BINARY(16)   the templates
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   n/a: as many versions as each template has
-- locks:   none
SELECT STRAIGHT_JOIN
    v.template_id AS template_id,
    v.version AS version,
    v.content AS content,
    v.system_prompt AS system_prompt,
    v.variables AS variables,
    v.content_sha256 AS content_sha256,
    v.message AS message,
    v.author_name AS author_name,
    v.created_by AS created_by,
    v.created_at AS created_at
FROM templates AS t FORCE INDEX (PRIMARY)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN template_versions AS v ON t.id = v.template_id
WHERE
    t.id IN :template_ids
    AND t.owner_id = :actor_id
    AND t.deleted_at IS NULL
ORDER BY
    v.template_id ASC,
    v.version ASC
LIMIT 1000000
