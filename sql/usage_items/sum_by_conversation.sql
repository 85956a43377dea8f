-- Count the tokens that a conversation took, by type, of all attempts.
--
-- returns: many TokensOfType
-- param:   conversation_id BINARY(16)   the conversation
-- access:  n/a
-- deleted: n/a
-- index:   ix_usage_records_conversation, PRIMARY
-- reads:   n/a: every attempt of the conversation and its types
-- locks:   none
SELECT STRAIGHT_JOIN
    i.usage_type AS usage_type,
    CAST(COALESCE(SUM(i.token_count), 0) AS SIGNED) AS token_count
FROM usage_records AS r FORCE INDEX (ix_usage_records_conversation)
INNER JOIN usage_items AS i FORCE INDEX (PRIMARY)
    ON
        r.prompt_id = i.prompt_id
        AND r.attempt = i.attempt
WHERE r.conversation_id = :conversation_id
GROUP BY i.usage_type
ORDER BY i.usage_type
LIMIT 10000
