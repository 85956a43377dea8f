-- Put tags on templates that are locked and live.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   tag_id       BINARY(16)   the tag
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP templates.PRIMARY, S,REC_NOT_GAP tags.PRIMARY
INSERT INTO template_tags
(template_id, tag_id, created_at)
VALUES
(:template_id, :tag_id, :now)
