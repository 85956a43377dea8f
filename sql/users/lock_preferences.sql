-- Lock a live user, and read the preferences that are to be changed.
--
-- Two who set different keys wait for each other here, so that both are kept. The merge itself
-- is made by the application: what a key had before goes into the audit log.
--
-- returns: find UserPreferences
-- param:   user_id      BINARY(16)   the user
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP users.PRIMARY
SELECT u.preferences AS preferences
FROM users AS u
WHERE
    u.id = :user_id
    AND u.deleted_at IS NULL
FOR UPDATE
