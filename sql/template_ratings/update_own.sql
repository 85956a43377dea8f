-- Change what the actor thinks of a template that is locked.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16)   who asks
-- param:   rating       TINYINT UNSIGNED 1 to 5
-- param:   feedback     TEXT NULL    why
-- param:   now          DATETIME(6)  time of the change
-- access:  actor
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP template_ratings.PRIMARY
UPDATE template_ratings FORCE INDEX (PRIMARY)
SET
    rating = :rating,
    feedback = :feedback,
    updated_at = GREATEST(updated_at, :now)
WHERE
    template_id = :template_id
    AND user_id = :actor_id
