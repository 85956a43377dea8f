-- Add to the ratings of a locked template.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   rating_change INT          what the sum of ratings grows by
-- param:   count_change INT          what the number of ratings grows by
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP templates.PRIMARY
UPDATE templates FORCE INDEX (PRIMARY)
SET
    rating_sum = rating_sum + :rating_change,
    rating_count = rating_count + :count_change
WHERE
    id = :template_id
    AND deleted_at IS NULL
