-- Write the rating of an answer beside what the answer took.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   attempt      SMALLINT UNSIGNED how often it was started
-- param:   prompt_rating TINYINT UNSIGNED NULL 1 to 5; NULL is not rated
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP usage_records.PRIMARY
UPDATE usage_records
SET rating = :prompt_rating
WHERE
    prompt_id = :prompt_id
    AND attempt = :attempt
