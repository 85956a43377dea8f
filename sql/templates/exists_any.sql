-- Tell whether a live template is there, for the system.
--
-- returns: value bool
-- param:   template_id  BINARY(16)   the template
-- access:  system
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
) AS is_there
