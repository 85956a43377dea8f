-- Remove entries for good, once a checkpoint says so, for retention.
--
-- returns: affected
-- param:   audit_ids    BINARY(16)   the entries
-- access:  system
-- deleted: n/a
-- index:   PRIMARY
-- reads:   2 * rows
-- locks:   X,REC_NOT_GAP audit_logs.PRIMARY
DELETE a
FROM audit_logs AS a FORCE INDEX (PRIMARY)
WHERE a.id IN :audit_ids
