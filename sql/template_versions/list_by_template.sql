-- Page through the versions of a live template that the actor may see, newest first.
--
-- returns: many TemplateVersionSummary
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   before_version INT UNSIGNED version of the last row of the page before
-- param:   limit_rows   INT          the most rows to give
-- access:  public or actor or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   rows + 3
-- locks:   none
SELECT
    v.template_id AS template_id,
    v.version AS version,
    CHAR_LENGTH(v.content) AS content_chars,
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
    AND v.version < :before_version
    AND t.deleted_at IS NULL
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
        OR :actor_is_system = TRUE
    )
ORDER BY v.version DESC
LIMIT :limit_rows
