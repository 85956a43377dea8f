-- Take everybody out of conversations that are locked, in a trash.
--
-- From then on a conversation cannot be restored: it is being purged.
--
-- returns: affected
-- param:   conversation_ids BINARY(16)   the conversations
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   n/a: rows, and one for each conversation
-- locks:   X,REC_NOT_GAP conversation_participants.PRIMARY
DELETE p
FROM conversation_participants AS p FORCE INDEX (PRIMARY)
WHERE p.conversation_id IN :conversation_ids
