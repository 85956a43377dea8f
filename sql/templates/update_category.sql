-- File the templates of one category under another, deleted ones too.
--
-- returns: affected
-- param:   category_id  BINARY(16)   the category
-- param:   into_category_id BINARY(16)   the category that takes them
-- access:  system
-- deleted: included
-- index:   ix_templates_category
-- reads:   n/a: every template of the category, which leaves the key it is read by
-- locks:   S,REC_NOT_GAP categories.PRIMARY, X,REC_NOT_GAP templates.PRIMARY
-- locks:   X,REC_NOT_GAP templates.ix_templates_category
UPDATE templates FORCE INDEX (ix_templates_category)
SET category_id = :into_category_id
WHERE category_id = :category_id
