-- Find the conversation of a share, which is locked before the share.
--
-- returns: find UUID
-- param:   share_id     BINARY(16)   the share
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   none
SELECT s.conversation_id AS conversation_id
FROM conversation_shares AS s
WHERE s.id = :share_id
