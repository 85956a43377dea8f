-- Put texts of live templates into the search.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   is_public    BOOLEAN      whether everybody may find it
-- param:   terms        INT UNSIGNED how many words the text has
-- param:   tokens       MEDIUMTEXT   its analysed words
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP templates.PRIMARY
INSERT INTO templates_search
(template_id, is_public, terms, tokens, updated_at)
VALUES
(:template_id, :is_public, :terms, :tokens, :now)
