-- Rate the answer of a live prompt, or take that back.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   prompt_rating TINYINT UNSIGNED NULL 1 to 5; NULL is not rated
-- param:   feedback     TEXT NULL    why
-- param:   rated_at     DATETIME(6) NULL when it was rated
-- access:  n/a
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP prompts.PRIMARY
UPDATE prompts
SET
    rating = :prompt_rating,
    feedback = :feedback,
    rated_at = :rated_at
WHERE
    id = :prompt_id
    AND status = 'completed'
    AND deleted_at IS NULL
