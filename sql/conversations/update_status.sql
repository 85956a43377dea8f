-- Change the status of a conversation that is locked.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   conversation_status VARCHAR(9)  active, paused or completed
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET
    status = :conversation_status,
    updated_at = :now
WHERE
    id = :conversation_id
    AND deleted_at IS NULL
