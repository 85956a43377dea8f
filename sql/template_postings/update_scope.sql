-- Have private templates that are locked found by their new owner.
--
-- returns: affected
-- param:   template_ids BINARY(16)   the templates
-- param:   old_owner_id BINARY(16)   who had them
-- param:   owner_id     BINARY(16)   the owner
-- access:  system
-- deleted: n/a
-- index:   ix_template_postings_template
-- reads:   n/a: every posting of the templates
-- locks:   X,REC_NOT_GAP template_postings.PRIMARY
-- locks:   X,REC_NOT_GAP template_postings.ix_template_postings_template
UPDATE template_postings FORCE INDEX (ix_template_postings_template)
SET
    scope = :owner_id
WHERE
    template_id IN :template_ids
    AND scope = :old_owner_id
