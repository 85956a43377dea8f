-- Put conversations that are locked into the trash, before they are removed.
--
-- returns: affected
-- param:   conversation_ids BINARY(16)   the conversations
-- param:   now          DATETIME(6)  time of the change
-- access:  system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   rows
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET deleted_at = :now
WHERE
    id IN :conversation_ids
    AND deleted_at IS NULL
