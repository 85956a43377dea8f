-- Remove the actor's rating of a template that is locked.
--
-- The index is said: left alone, MariaDB looks among the ratings of the actor.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP template_ratings.PRIMARY
DELETE r
FROM template_ratings AS r FORCE INDEX (PRIMARY)
WHERE
    r.template_id = :template_id
    AND r.user_id = :actor_id
