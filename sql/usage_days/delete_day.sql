-- Remove the roll-up of a day, by template or by user, before it is made anew.
--
-- returns: affected
-- param:   facet        VARCHAR(8)   template or user
-- param:   from_at      DATETIME(6)  start of the time that is counted
-- access:  n/a
-- deleted: n/a
-- index:   ix_usage_days_day
-- reads:   2 * rows + 1
-- locks:   X,REC_NOT_GAP usage_days.PRIMARY, X,REC_NOT_GAP usage_days.ix_usage_days_day
DELETE d FROM usage_days AS d FORCE INDEX (ix_usage_days_day)
WHERE
    d.facet = :facet
    AND d.day = DATE(:from_at)
