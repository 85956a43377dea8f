-- Archive all of the actor's own live conversations that are not.
--
-- returns: affected
-- param:   now          DATETIME(6)  time of the change
-- param:   actor_id     BINARY(16)   who asks
-- access:  actor
-- deleted: excluded
-- index:   ix_conversations_owner_activity, PRIMARY
-- reads:   n/a: every conversation that is archived
-- locks:   S,REC_NOT_GAP users.PRIMARY, X,REC_NOT_GAP conversations.PRIMARY
-- locks:   X,REC_NOT_GAP conversations.ix_conversations_owner_activity
UPDATE conversations AS c FORCE INDEX (ix_conversations_owner_activity)
STRAIGHT_JOIN users AS o FORCE INDEX (PRIMARY) ON c.owner_id = o.id
SET
    c.archived_at = :now,
    c.updated_at = GREATEST(c.updated_at, :now)
WHERE
    c.owner_id = :actor_id
    AND c.deleted_at IS NULL
    AND c.archived_at IS NULL
    AND o.deleted_at IS NULL
