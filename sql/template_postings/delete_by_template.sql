-- Have a template that is locked not found by its words any more.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- access:  n/a
-- deleted: n/a
-- index:   ix_template_postings_template
-- reads:   rows + 1
-- locks:   X,REC_NOT_GAP template_postings.PRIMARY
-- locks:   X,REC_NOT_GAP template_postings.ix_template_postings_template
DELETE FROM template_postings
WHERE template_id = :template_id
