-- Put labels on versions of a locked template.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   label        VARCHAR(100) folded name of the label
-- param:   version      INT UNSIGNED number of the version, from 1
-- param:   moved_by     BINARY(16)   the user who moved it
-- param:   moved_at     DATETIME(6)  when it was moved
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP template_versions.PRIMARY, S,REC_NOT_GAP users.PRIMARY
INSERT INTO template_labels
(template_id, label, version, moved_by, moved_at)
VALUES
(:template_id, :label, :version, :moved_by, :moved_at)
