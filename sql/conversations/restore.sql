-- Take a conversation out of the actor's trash.
--
-- The index is said: where an owner has few, MariaDB looks for it among those. One that nobody
-- takes part in any more is being purged: it has lost prompts.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   actor_id     BINARY(16)   who asks
-- param:   now          DATETIME(6)  time of the change
-- access:  actor
-- deleted: only
-- index:   PRIMARY
-- reads:   2
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET
    deleted_at = NULL,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id = :conversation_id
    AND owner_id = :actor_id
    AND deleted_at IS NOT NULL
    AND EXISTS (
        SELECT 1
        FROM conversation_participants AS p
        WHERE p.conversation_id = conversations.id
    )
