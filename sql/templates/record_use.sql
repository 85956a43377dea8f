-- Count a use of a live template that the actor may see.
--
-- Exponential decay without a clock: log2(2^a + 2^b) = max(a, b) + log2(1 + 2^-|a - b|), so one
-- number that grows keeps the sum of uses that halve in weight each week.
--
-- returns: affected
-- param:   template_id  BINARY(16)   the template
-- param:   actor_id     BINARY(16) NULL who asks; NULL is nobody
-- param:   actor_is_system BOOLEAN   whether the system asks
-- param:   now          DATETIME(6)  time of the change
-- access:  public or actor or system
-- deleted: excluded
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP templates.PRIMARY
UPDATE templates FORCE INDEX (PRIMARY)
SET
    use_count = use_count + 1,
    trend = CASE
        WHEN trend = 0
            THEN GREATEST(ROUND(TIMESTAMPDIFF(SECOND, '2020-01-01', :now) * (1E9 / 604800)), 1)
        ELSE GREATEST(
            trend, ROUND(TIMESTAMPDIFF(SECOND, '2020-01-01', :now) * (1E9 / 604800))
        ) + ROUND(1E9 * LOG2(1 + POW(2, -ABS(
            TIMESTAMPDIFF(SECOND, '2020-01-01', :now) / 604800E0 - trend / 1E9
        ))))
    END
WHERE
    id = :template_id
    AND deleted_at IS NULL
    AND (
        visibility = 'public'
        OR owner_id = :actor_id
        OR :actor_is_system = TRUE
    )
