-- Count the tokens that a user's attempts took which ended within a time, by type.
--
-- returns: many TokensOfType
-- param:   user_id      BINARY(16)   the user
-- param:   from_at      DATETIME(6)  start of the time that is counted
-- param:   until_at     DATETIME(6)  its end, not counted
-- access:  n/a
-- deleted: n/a
-- index:   ix_usage_records_user, PRIMARY
-- reads:   n/a: every attempt of the user in that time and its types
-- locks:   none
SELECT STRAIGHT_JOIN
    i.usage_type AS usage_type,
    CAST(COALESCE(SUM(i.token_count), 0) AS SIGNED) AS token_count
FROM usage_records AS r FORCE INDEX (ix_usage_records_user)
INNER JOIN usage_items AS i FORCE INDEX (PRIMARY)
    ON
        r.prompt_id = i.prompt_id
        AND r.attempt = i.attempt
WHERE
    r.user_id = :user_id
    AND r.finished_at >= :from_at
    AND r.finished_at < :until_at
GROUP BY i.usage_type
ORDER BY i.usage_type
LIMIT 10000
