-- Have templates that are locked found by their words.
--
-- returns: affected
-- param:   term         BIGINT       hash of a term, 63 bits
-- param:   scope        BINARY(16)   who may find by it: zeros is everybody, else whose it is
-- param:   impact       INT          what the term says of the document, in 1/65535
-- param:   template_id  BINARY(16)   the template
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP templates.PRIMARY
INSERT INTO template_postings
(term, scope, impact, template_id)
VALUES
(:term, :scope, :impact, :template_id)
