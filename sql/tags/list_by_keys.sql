-- List the tags of these keys, compared byte by byte.
--
-- returns: many Tag
-- param:   tag_keys     VARCHAR(100) trimmed, NFC, case-folded
-- access:  n/a
-- deleted: n/a
-- index:   uq_tags_tag_key
-- reads:   rows
-- locks:   none
SELECT
    g.id AS id,
    g.tag_key AS tag_key,
    g.name AS name
FROM tags AS g
WHERE g.tag_key IN :tag_keys
ORDER BY g.tag_key
LIMIT 10000
