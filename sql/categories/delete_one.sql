-- Delete a category that no template is filed under.
--
-- returns: affected
-- param:   category_id  BINARY(16)   the category
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP categories.PRIMARY
DELETE FROM categories
WHERE id = :category_id
