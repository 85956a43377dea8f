-- Rename a category that is locked; the unique slug may refuse it.
--
-- returns: affected
-- param:   category_id  BINARY(16)   the category
-- param:   slug         VARCHAR(100) folded, words joined by hyphens
-- param:   category_name VARCHAR(100) shown
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP categories.PRIMARY
UPDATE categories FORCE INDEX (PRIMARY)
SET
    slug = :slug,
    name = :category_name,
    updated_at = GREATEST(updated_at, :now)
WHERE id = :category_id
