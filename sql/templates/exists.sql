-- Tell whether a live template is there that the actor may see.
--
-- returns: value bool
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- access:  public or actor or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   2
-- locks:   none
SELECT EXISTS(
    SELECT 1
    FROM templates AS t
    INNER JOIN users AS o
        ON
            t.owner_id = o.id
            AND o.deleted_at IS NULL
    WHERE
        t.id = :template_id
        AND t.deleted_at IS NULL
        AND (
            t.visibility = 'public'
            OR t.owner_id = :actor_id
            OR :actor_is_system = TRUE
        )
) AS is_there
