-- Make an older version the newest of a live template of the actor again.
--
-- After the newest one was deleted; its number is not given again.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16)   who asks
-- param:   version      INT UNSIGNED number of the version, from 1
-- param:   now          DATETIME(6)  time of the change
-- access:  actor
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP templates.PRIMARY
UPDATE templates FORCE INDEX (PRIMARY)
SET
    head_version = :version,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :template_id
    AND owner_id = :actor_id
    AND deleted_at IS NULL
