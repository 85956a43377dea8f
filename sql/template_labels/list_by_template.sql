-- List the labels of a live template that the actor may see by name.
--
-- returns: many TemplateLabel
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   limit_rows   INT          the most rows to give
-- access:  public or actor or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   rows + 2
-- locks:   none
SELECT STRAIGHT_JOIN
    l.template_id AS template_id,
    l.label AS label,
    l.version AS version,
    l.moved_by AS moved_by,
    l.moved_at AS moved_at
FROM templates AS t
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN template_labels AS l ON t.id = l.template_id
WHERE
    t.id = :template_id
    AND t.deleted_at IS NULL
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
        OR :actor_is_system = TRUE
    )
ORDER BY l.label ASC
LIMIT :limit_rows
