-- Remove what a user thinks of templates, which no sum has any more.
--
-- returns: affected
-- param:   user_id      BINARY(16)   the user
-- param:   limit_rows   INT          the most rows to give
-- access:  system
-- deleted: n/a
-- index:   ix_template_ratings_user
-- reads:   n/a: as many as are removed
-- locks:   X,REC_NOT_GAP template_ratings.PRIMARY
-- locks:   X,REC_NOT_GAP template_ratings.ix_template_ratings_user
DELETE FROM template_ratings
WHERE user_id = :user_id
ORDER BY template_id ASC
LIMIT :limit_rows
