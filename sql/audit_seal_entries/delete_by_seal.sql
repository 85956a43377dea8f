-- Forget the entries of a seal of which none is left, for retention; the seal stays.
--
-- returns: affected
-- param:   seal_number  INT UNSIGNED the seal
-- access:  system
-- deleted: n/a
-- index:   ix_audit_seal_entries_seal
-- reads:   2 * rows + 1
-- locks:   X,REC_NOT_GAP audit_seal_entries.PRIMARY
-- locks:   X,REC_NOT_GAP audit_seal_entries.ix_audit_seal_entries_seal
DELETE e
FROM audit_seal_entries AS e FORCE INDEX (ix_audit_seal_entries_seal)
WHERE e.seal_number = :seal_number
