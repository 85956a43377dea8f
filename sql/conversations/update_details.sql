-- Change what is said of a conversation that is locked.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   title        VARCHAR(255) shown in lists
-- param:   description  TEXT NULL    what it is for
-- param:   context      JSON         an object that every prompt of it is told
-- param:   settings     JSON         an object: model, temperature and the like
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversations.PRIMARY
UPDATE conversations FORCE INDEX (PRIMARY)
SET
    title = :title,
    description = :description,
    context = :context,
    settings = :settings,
    updated_at = :now
WHERE
    id = :conversation_id
    AND deleted_at IS NULL
