-- Say which entries a seal has; an entry has one seal.
--
-- returns: affected
-- param:   audit_id     BINARY(16)   the entry
-- param:   seal_number  INT UNSIGNED the seal
-- param:   sha256       BINARY(32)   its own hash
-- access:  system
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO audit_seal_entries (audit_id, seal_number, sha256)
VALUES (:audit_id, :seal_number, :sha256)
