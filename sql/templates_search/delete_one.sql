-- Take the text of a locked template out of the search.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP templates_search.PRIMARY
DELETE FROM templates_search
WHERE template_id = :template_id
