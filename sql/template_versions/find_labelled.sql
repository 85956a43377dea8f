-- Find the labelled (or newest) version of a live template that the actor may see.
--
-- returns: find TemplateVersion
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   label        VARCHAR(100) folded name of the label
-- param:   or_newest    BOOLEAN      whether the newest stands in for an unset label
-- access:  public or actor or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   4
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
FROM templates AS t
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
LEFT JOIN template_labels AS l
    ON
        t.id = l.template_id
        AND l.label = :label
INNER JOIN template_versions AS v
    ON
        t.id = v.template_id
        AND v.version = COALESCE(l.version, CASE WHEN :or_newest = TRUE THEN t.head_version END)
WHERE
    t.id = :template_id
    AND t.deleted_at IS NULL
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
        OR :actor_is_system = TRUE
    )
