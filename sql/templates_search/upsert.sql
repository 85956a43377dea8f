-- Put the text of a locked template into the search, in the place of what was there.
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
-- locks:   X templates_search.PRIMARY, S,REC_NOT_GAP templates.PRIMARY
INSERT INTO templates_search
(template_id, is_public, terms, tokens, updated_at)
VALUES
(:template_id, :is_public, :terms, :tokens, :now)
ON DUPLICATE KEY UPDATE
    is_public = :is_public,
    terms = :terms,
    tokens = :tokens,
    updated_at = :now
