-- Archive conversations that are idle still, by their ids.
--
-- returns: affected
-- param:   now          DATETIME(6)  time of the change
-- param:   conversation_ids BINARY(16)   the conversations
-- param:   idle_before  DATETIME(6)  with nothing said since this time
-- access:  system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   n/a: one for each id that is given
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET
    archived_at = :now,
    updated_at = GREATEST(updated_at, :now)
WHERE
    id IN :conversation_ids
    AND deleted_at IS NULL
    AND archived_at IS NULL
    AND last_activity_at < :idle_before
