-- Find what the actor thinks of a live template that they may see.
--
-- returns: find TemplateRating
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   4
-- locks:   none
SELECT STRAIGHT_JOIN
    r.template_id AS template_id,
    r.user_id AS user_id,
    r.rating AS rating,
    r.feedback AS feedback,
    r.created_at AS created_at,
    r.updated_at AS updated_at
FROM template_ratings AS r
INNER JOIN users AS u
    ON
        r.user_id = u.id
        AND u.deleted_at IS NULL
INNER JOIN templates AS t ON r.template_id = t.id
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    r.template_id = :template_id
    AND r.user_id = :actor_id
    AND t.deleted_at IS NULL
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
    )
