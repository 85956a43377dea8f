-- Lock a live template that the actor may see, before its counters change.
--
-- Whether its owner is live is asked apart: their row is not to be locked by who rates.
--
-- returns: find UUID
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16)   who asks
-- access:  public or actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP templates.PRIMARY
SELECT t.id AS id
FROM templates AS t
WHERE
    t.id = :template_id
    AND t.deleted_at IS NULL
    AND (
        t.visibility = 'public'
        OR t.owner_id = :actor_id
    )
FOR UPDATE
