-- Let go what a hold keeps.
--
-- returns: affected
-- param:   hold_id      BINARY(16)   the hold
-- param:   now          DATETIME(6)  time of the change
-- access:  system
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP audit_holds.PRIMARY
UPDATE audit_holds AS h FORCE INDEX (PRIMARY)
SET h.released_at = :now
WHERE
    h.id = :hold_id
    AND h.released_at IS NULL
