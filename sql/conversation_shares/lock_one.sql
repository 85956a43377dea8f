-- Lock a share of a conversation that is locked, before it is changed.
--
-- returns: find Share
-- param:   share_id     BINARY(16)   the share
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP conversation_shares.PRIMARY
SELECT
    s.id AS id,
    s.conversation_id AS conversation_id,
    s.created_by AS created_by,
    s.scope AS scope,
    s.through_sequence AS through_sequence,
    s.expires_at AS expires_at,
    s.max_views AS max_views,
    s.view_count AS view_count,
    s.last_viewed_at AS last_viewed_at,
    s.revoked_at AS revoked_at,
    s.created_at AS created_at,
    s.updated_at AS updated_at
FROM conversation_shares AS s
WHERE s.id = :share_id
FOR UPDATE
