-- Take all tags off a template that is locked and live.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows + 1
-- locks:   X,REC_NOT_GAP template_tags.PRIMARY
DELETE FROM template_tags
WHERE template_id = :template_id
