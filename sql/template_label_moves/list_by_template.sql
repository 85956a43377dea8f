-- Page through label moves of a live template that the actor may see, newest first.
--
-- returns: many TemplateLabelMove
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   before_at    DATETIME(6)  time of the last row of the page before
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  public or actor or system
-- deleted: excluded
-- index:   PRIMARY, ix_template_label_moves_template
-- reads:   rows + 4
-- locks:   none
SELECT STRAIGHT_JOIN
    m.id AS id,
    m.template_id AS template_id,
    m.label AS label,
    m.from_version AS from_version,
    m.to_version AS to_version,
    m.moved_by AS moved_by,
    m.moved_at AS moved_at
FROM templates AS t
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN template_label_moves AS m FORCE INDEX (ix_template_label_moves_template)
    ON t.id = m.template_id
WHERE
    t.id = :template_id
    AND t.deleted_at IS NULL
    AND (
        m.moved_at < :before_at
        OR (
            m.moved_at = :before_at
            AND m.id < :before_id
        )
    )
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
        OR :actor_is_system = TRUE
    )
ORDER BY
    m.moved_at DESC,
    m.id DESC
LIMIT :limit_rows
