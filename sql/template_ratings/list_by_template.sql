-- Page through the ratings of a live template that the actor may see, newest first.
--
-- Ratings of deleted users are read and passed over.
--
-- returns: many TemplateRating
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   before_at    DATETIME(6)  time of the last row of the page before
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   limit_rows   INT          the most rows to give
-- access:  public or actor or system
-- deleted: excluded
-- index:   PRIMARY, ix_template_ratings_template
-- reads:   2 * rows + 2 * passed + 4
-- locks:   none
SELECT STRAIGHT_JOIN
    r.template_id AS template_id,
    r.user_id AS user_id,
    r.rating AS rating,
    r.feedback AS feedback,
    r.created_at AS created_at,
    r.updated_at AS updated_at
FROM templates AS t
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
INNER JOIN template_ratings AS r FORCE INDEX (ix_template_ratings_template)
    ON t.id = r.template_id
INNER JOIN users AS u FORCE INDEX (PRIMARY)
    ON
        r.user_id = u.id
        AND u.deleted_at IS NULL
WHERE
    t.id = :template_id
    AND t.deleted_at IS NULL
    AND (
        r.updated_at < :before_at
        OR (
            r.updated_at = :before_at
            AND r.user_id < :before_id
        )
    )
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
        OR :actor_is_system = TRUE
    )
ORDER BY
    r.updated_at DESC,
    r.user_id DESC
LIMIT :limit_rows
