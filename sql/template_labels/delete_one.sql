-- Take a label off a locked template.
--
-- The index is said: left alone, MariaDB looks among the templates that carry the label.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   label        VARCHAR(100) folded name of the label
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP template_labels.PRIMARY
DELETE l
FROM template_labels AS l FORCE INDEX (PRIMARY)
WHERE
    l.template_id = :template_id
    AND l.label = :label
