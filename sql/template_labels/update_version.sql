-- Move a label of a locked template to another of its versions.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   label        VARCHAR(100) folded name of the label
-- param:   version      INT UNSIGNED number of the version, from 1
-- param:   moved_by     BINARY(16)   the user who moved it
-- param:   moved_at     DATETIME(6)  when it was moved
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   S,REC_NOT_GAP template_versions.PRIMARY, S,REC_NOT_GAP users.PRIMARY
-- locks:   X,REC_NOT_GAP template_labels.PRIMARY
UPDATE template_labels FORCE INDEX (PRIMARY)
SET
    version = :version,
    moved_by = :moved_by,
    moved_at = :moved_at
WHERE
    template_id = :template_id
    AND label = :label
