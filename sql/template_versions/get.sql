-- Get one version of a live template that the actor may see.
--
-- returns: one TemplateVersion
-- param:   template_id  BINARY(16)   the template
-- param:   version      INT UNSIGNED number of the version, from 1
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- access:  public or actor or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   3
-- locks:   none
SELECT
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
FROM template_versions AS v
INNER JOIN templates AS t ON v.template_id = t.id
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    v.template_id = :template_id
    AND v.version = :version
    AND t.deleted_at IS NULL
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
        OR :actor_is_system = TRUE
    )
