-- List the labels of some live templates of the actor.
--
-- returns: many TemplateLabel
-- param:   template_ids BINARY(16)   the templates
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   n/a: as many labels as each template has
-- locks:   none
SELECT STRAIGHT_JOIN
    l.template_id AS template_id,
    l.label AS label,
    l.version AS version,
    l.moved_by AS moved_by,
    l.moved_at AS moved_at
FROM templates AS t FORCE INDEX (PRIMARY)
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN template_labels AS l ON t.id = l.template_id
WHERE
    t.id IN :template_ids
    AND t.owner_id = :actor_id
    AND t.deleted_at IS NULL
ORDER BY
    l.template_id ASC,
    l.label ASC
LIMIT 1000000
