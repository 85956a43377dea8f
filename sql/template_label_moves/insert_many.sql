-- Record that labels of a locked template were moved.
--
-- returns: affected
-- param:   move_id      BINARY(16)   the move
-- param:   template_id  BINARY(16)   the template
-- param:   label        VARCHAR(100) folded name of the label
-- param:   from_version INT UNSIGNED NULL where it was; NULL for nowhere
-- param:   to_version   INT UNSIGNED NULL where it is now; NULL for nowhere
-- param:   moved_by     BINARY(16)   the user who moved it
-- param:   moved_at     DATETIME(6)  when it was moved
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP templates.PRIMARY, S,REC_NOT_GAP users.PRIMARY
INSERT INTO template_label_moves
(id, template_id, label, from_version, to_version, moved_by, moved_at)
VALUES
(:move_id, :template_id, :label, :from_version, :to_version, :moved_by, :moved_at)
