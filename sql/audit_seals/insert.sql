-- Write the next seal; its number is the key, so of two sealers one is refused.
--
-- returns: affected
-- param:   seal_number  INT UNSIGNED the seal
-- param:   now          DATETIME(6)  time of the change
-- param:   since        DATETIME(6)  earlier entries are not looked for
-- param:   entry_count  INT UNSIGNED how many entries
-- param:   first_at     DATETIME(6)  time of the earliest entry
-- param:   last_at      DATETIME(6)  time of the latest one
-- param:   previous_sha256 BINARY(32) hash of the one before
-- param:   sha256       BINARY(32)   its own hash
-- access:  system
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO audit_seals
(
    number,
    sealed_at,
    since,
    entry_count,
    first_at,
    last_at,
    previous_sha256,
    sha256
)
VALUES
(
    :seal_number,
    :now,
    :since,
    :entry_count,
    :first_at,
    :last_at,
    :previous_sha256,
    :sha256
)
