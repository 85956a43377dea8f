-- Lock the actor's rating of a locked template.
--
-- returns: find TemplateRating
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP template_ratings.PRIMARY
SELECT
    r.template_id AS template_id,
    r.user_id AS user_id,
    r.rating AS rating,
    r.feedback AS feedback,
    r.created_at AS created_at,
    r.updated_at AS updated_at
FROM template_ratings AS r
WHERE
    r.template_id = :template_id
    AND r.user_id = :actor_id
FOR UPDATE
