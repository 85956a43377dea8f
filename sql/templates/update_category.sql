-- File the templates of one category under another, deleted ones too.
--
-- returns: affected
-- param:   category_id  BINARY(16)   the category
-- param:   into_category_id BINARY(16)   the category that takes them
-- access:  system
-- deleted: included
-- index:   ix_templates_category
-- reads:   n/a: every template of the category, which leaves the key it is read by
-- locks:   X templates.ix_templates_category, X,REC_NOT_GAP templates.PRIMARY
UPDATE templates FORCE INDEX (ix_templates_category)
SET category_id = :into_category_id
WHERE category_id = :category_id
