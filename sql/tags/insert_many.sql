-- Create tags; the unique key decides between two who create the same one.
--
-- returns: affected
-- param:   tag_id       BINARY(16)   the tag
-- param:   tag_key      VARCHAR(100) trimmed, NFC, case-folded
-- param:   tag_name     VARCHAR(100) shown
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO tags
(id, tag_key, name, created_at, updated_at)
VALUES
(:tag_id, :tag_key, :tag_name, :now, :now)
