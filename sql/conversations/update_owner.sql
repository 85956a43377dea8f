-- Give a conversation that is locked to another owner.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   owner_id     BINARY(16)   the owner
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   S,REC_NOT_GAP users.PRIMARY, X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET
    owner_id = :owner_id,
    updated_at = :now
WHERE
    id = :conversation_id
    AND deleted_at IS NULL
