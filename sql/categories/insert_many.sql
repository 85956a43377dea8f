-- Create categories; the unique slug decides between two who create the same one.
--
-- returns: affected
-- param:   category_id  BINARY(16)   the category
-- param:   slug         VARCHAR(100) folded, words joined by hyphens
-- param:   category_name VARCHAR(100) shown
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO categories
(id, slug, name, created_at, updated_at)
VALUES
(:category_id, :slug, :category_name, :now, :now)
