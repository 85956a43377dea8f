-- Say which prompt the next one of a conversation follows that is live and locked.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   active_sequence INT UNSIGNED NULL the prompt that the next one follows; NULL is none
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET active_sequence = :active_sequence
WHERE
    id = :conversation_id
    AND deleted_at IS NULL
