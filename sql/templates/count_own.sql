-- Count the actor's live templates.
--
-- returns: value int
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: excluded
-- index:   ix_templates_owner_created, PRIMARY
-- reads:   rows + 2
-- locks:   none
SELECT COUNT(*) AS templates
FROM templates AS t
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    t.owner_id = :actor_id
    AND t.deleted_at IS NULL
