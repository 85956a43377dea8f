-- Lock a label of a locked template before it is moved.
--
-- returns: find TemplateLabel
-- param:   template_id  BINARY(16)   the template
-- param:   label        VARCHAR(100) folded name of the label
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP template_labels.PRIMARY
SELECT
    l.template_id AS template_id,
    l.label AS label,
    l.version AS version,
    l.moved_by AS moved_by,
    l.moved_at AS moved_at
FROM template_labels AS l
WHERE
    l.template_id = :template_id
    AND l.label = :label
FOR UPDATE
