-- Take all labels off templates in a trash, which are about to be purged.
--
-- A labelled version cannot be deleted, nor go with its template: so the labels go first. The
-- indexes are said: left alone, both servers find labels by the key of their versions.
--
-- returns: affected
-- param:   template_ids BINARY(16)   the templates
-- access:  system
-- deleted: only
-- index:   PRIMARY
-- reads:   n/a: as many labels as each template has
-- locks:   S,REC_NOT_GAP templates.PRIMARY, X,REC_NOT_GAP template_labels.PRIMARY
DELETE l
FROM template_labels AS l FORCE INDEX (PRIMARY)
INNER JOIN templates AS t FORCE INDEX (PRIMARY) ON l.template_id = t.id
WHERE
    t.id IN :template_ids
    AND t.deleted_at IS NOT NULL
