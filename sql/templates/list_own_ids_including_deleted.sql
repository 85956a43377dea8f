-- List which of these ids are the actor's templates, the trash too.
--
-- returns: many UUID
-- param:   actor_id     BINARY(16)   who asks
-- param:   template_ids BINARY(16)   the templates
-- access:  actor
-- deleted: included
-- index:   PRIMARY
-- reads:   rows
-- locks:   none
SELECT t.id AS id
FROM templates AS t
WHERE
    t.id IN :template_ids
    AND t.owner_id = :actor_id
ORDER BY t.id
LIMIT 10000
