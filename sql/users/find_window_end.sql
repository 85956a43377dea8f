-- Find the last of the next users in the order from the newest to the oldest.
--
-- A search within words looks at no more than a window of users at a time.
--
-- returns: find UserKey
-- param:   before_at    DATETIME(6)  time of the last row of the page before
-- param:   before_id    BINARY(16)   its id, to break ties
-- param:   window_rows  INT          how many rows the window has
-- access:  system
-- deleted: excluded
-- index:   ix_users_created
-- reads:   window_rows + 1
-- locks:   none
SELECT
    w.created_at AS created_at,
    w.id AS id
FROM (
    SELECT
        u.created_at AS created_at,
        u.id AS id
    FROM users AS u FORCE INDEX (ix_users_created)
    WHERE
        u.deleted_at IS NULL
        AND (
            u.created_at < :before_at
            OR (
                u.created_at = :before_at
                AND u.id < :before_id
            )
        )
    ORDER BY
        u.created_at DESC,
        u.id DESC
    LIMIT :window_rows
) AS w
ORDER BY
    w.created_at ASC,
    w.id ASC
LIMIT 1
