-- Write what was removed; its number is the key, so of two purges one is refused.
--
-- returns: affected
-- param:   checkpoint_number INT UNSIGNED one more than the last
-- param:   now          DATETIME(6)  time of the change
-- param:   purged_by    VARCHAR(100) name of the system actor
-- param:   policy       TEXT         canonical JSON
-- param:   seal_number  INT UNSIGNED the seal
-- param:   entry_count  INT UNSIGNED how many entries
-- param:   gone         VARBINARY(1250) a bit an entry of the seal
-- param:   archive_sha256 BINARY(32) NULL of the lines that were archived
-- param:   previous_sha256 BINARY(32) hash of the one before
-- param:   sha256       BINARY(32)   its own hash
-- access:  system
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO audit_checkpoints
(
    number,
    purged_at,
    purged_by,
    policy,
    seal_number,
    entry_count,
    gone,
    archive_sha256,
    previous_sha256,
    sha256
)
VALUES
(
    :checkpoint_number,
    :now,
    :purged_by,
    :policy,
    :seal_number,
    :entry_count,
    :gone,
    :archive_sha256,
    :previous_sha256,
    :sha256
)
