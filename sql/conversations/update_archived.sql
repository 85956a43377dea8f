-- Archive a conversation that is locked, or take it out of the archive.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   archived_at  DATETIME(6) NULL when it was archived; NULL is not at all
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET
    archived_at = :archived_at,
    updated_at = :now
WHERE
    id = :conversation_id
    AND deleted_at IS NULL
