-- Put what a user rated back into the numbers, since they are restored.
--
-- In the order of the templates, those in a trash too: two who do this do not wait in a circle.
-- Each template is read to find it, and again to change it.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- access:  n/a
-- deleted: included
-- index:   PRIMARY, ix_template_ratings_user
-- reads:   3 * rows + 1
-- locks:   S,REC_NOT_GAP template_ratings.ix_template_ratings_user, X,REC_NOT_GAP templates.PRIMARY
UPDATE template_ratings AS r FORCE INDEX (ix_template_ratings_user)
STRAIGHT_JOIN templates AS t FORCE INDEX (PRIMARY) ON r.template_id = t.id
SET
    t.rating_sum = t.rating_sum + r.rating,
    t.rating_count = t.rating_count + 1
WHERE r.user_id = :user_id
