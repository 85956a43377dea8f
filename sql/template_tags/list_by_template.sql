-- List the tags of a template that is locked.
--
-- returns: many Tag
-- param:   template_id  BINARY(16)   the template
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   2 * rows
-- locks:   none
SELECT
    g.id AS id,
    g.tag_key AS tag_key,
    g.name AS name
FROM template_tags AS tt
INNER JOIN tags AS g ON tt.tag_id = g.id
WHERE tt.template_id = :template_id
ORDER BY g.tag_key
LIMIT 500
