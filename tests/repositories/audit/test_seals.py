"""What was sealed is as it was, or verification says where it is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal import AuditAnchor, BreakKind
from dal.records.audit_seals import AuditSeal, StoredAuditEntry, entry_sha256, seal_sha256
from tests.conftest import Recorder, options
from tests.repositories.audit.conftest import Log

SEALED: Final = 7


async def ten(log: Log) -> list[UUID]:
    """Ten entries: seven of them in three seals, three not sealed."""
    ids = await log.write(SEALED)
    sealed = await log.sealer.audit.seals.seal(entries_at_once=3)
    assert (sealed.seals, sealed.entries, sealed.is_overtaken) == (3, SEALED, False)
    return ids + await log.write(3)


async def test_what_nobody_touched_is_ok(log: Log) -> None:
    await ten(log)
    seen: list[int] = []
    found = await log.sealer.audit.seals.verify(on_seals=seen.append)
    assert found.is_ok, found.broken
    assert (found.seals, found.entries, found.unsealed, found.purged) == (3, 7, 3, 0)
    assert seen[-1] == 3
    assert not found.is_anchored
    anchor = await log.sealer.audit.seals.anchor()
    assert AuditAnchor.from_json(anchor.to_json()) == anchor
    assert (await log.sealer.audit.seals.verify(anchor)).is_anchored
    assert await log.sealer.audit.seals.seal() == dal.Sealing(1, 3, is_overtaken=False)
    assert await log.sealer.audit.seals.seal() == dal.Sealing(0, 0, is_overtaken=False)
    found = await log.sealer.audit.seals.verify(anchor)
    assert (found.is_ok, found.entries, found.unsealed) == (True, 10, 0)


async def test_an_empty_log_is_ok(log: Log) -> None:
    assert await log.sealer.audit.seals.seal() == dal.Sealing(0, 0, is_overtaken=False)
    anchor = await log.sealer.audit.seals.anchor()
    assert (anchor.seal, anchor.checkpoint) == (0, 0)
    assert (await log.sealer.audit.seals.verify(anchor)).is_ok


def _columns() -> list[str]:
    return [field.name for field in attrs.fields(StoredAuditEntry) if field.name != "id"]


_OTHER: Final[dict[str, str]] = {
    "occurred_at": "occurred_at + INTERVAL 1 MICROSECOND",
    "actor_type": "'anonymous'",
    "actor_id": "NULL",
    "actor_name": "'somebody'",
    "action": "'note.ADD'",
    "target_type": "'notes'",
    "target_id": "id",
    "outcome": "'failure'",
    "affected": "affected + 1",
    "changes": "CONCAT(changes, ' ')",
    "request_id": "''",
    "ip": "'192.0.2.90'",
    "user_agent": "'x'",
    "category": "'data'",
    "severity": "'high'",
}


@pytest.mark.parametrize("column", _columns())
async def test_a_flipped_field_is_found(log: Log, column: str) -> None:
    ids = await ten(log)
    for i in (0, 4, SEALED - 1):
        before = log.root(f"SELECT {column} FROM audit_logs WHERE id = %s", ids[i].bytes)
        log.root(f"UPDATE audit_logs SET {column} = {_OTHER[column]} WHERE id = %s", ids[i].bytes)
        found = await log.sealer.audit.seals.verify()
        assert found.broken is not None
        assert (found.broken.kind, found.broken.audit_id) == (BreakKind.CHANGED, ids[i])
        assert found.broken.seal_number == i // 3 + 1
        assert str(ids[i]) in found.broken.message
        # And back again.
        log.root(f"UPDATE audit_logs SET {column} = %s WHERE id = %s", before[0][0], ids[i].bytes)
        assert (await log.sealer.audit.seals.verify()).is_ok


Tamper = Callable[[Log, list[UUID]], object]


def _swap(log: Log, ids: list[UUID]) -> None:
    """Two entries change places."""
    spare = uuid4().bytes
    for old, new in ((ids[1].bytes, spare), (ids[2].bytes, ids[1].bytes), (spare, ids[2].bytes)):
        log.root("UPDATE audit_logs SET id = %s WHERE id = %s", new, old)


def _swap_seals(log: Log, ids: list[UUID]) -> None:
    for i, number in ((1, 2), (4, 1)):
        log.root(
            "UPDATE audit_seal_entries SET seal_number = %s WHERE audit_id = %s",
            number, ids[i].bytes,
        )  # fmt: skip


def _add(log: Log, ids: list[UUID]) -> None:
    """An entry among those that were sealed long ago."""
    _copy(log, ids[1], uuid4())
    log.root("UPDATE audit_seals SET since = '2026-06-01' WHERE number = 3")


def _copy(log: Log, of: UUID, new: UUID) -> None:
    columns = ", ".join(_columns())
    log.root(
        f"INSERT INTO audit_logs (id, {columns})"
        f" SELECT %s, {columns} FROM audit_logs WHERE id = %s",
        new.bytes, of.bytes,
    )  # fmt: skip


def _add_to_seal(log: Log, ids: list[UUID]) -> None:
    new = uuid4()
    _copy(log, ids[1], new)
    log.root("INSERT INTO audit_seal_entries VALUES (%s, 1, %s)", new.bytes, bytes(32))


def _add_to_no_seal(log: Log, ids: list[UUID]) -> None:
    new = uuid4()
    _copy(log, ids[1], new)
    log.root("INSERT INTO audit_seal_entries VALUES (%s, 99, %s)", new.bytes, bytes(32))


def _remove(log: Log, ids: list[UUID]) -> None:
    log.root("DELETE FROM audit_logs WHERE id = %s", ids[4].bytes)


def _remove_and_forget(log: Log, ids: list[UUID]) -> None:
    _remove(log, ids)
    log.root("DELETE FROM audit_seal_entries WHERE audit_id = %s", ids[4].bytes)


def _remove_and_count(log: Log, ids: list[UUID]) -> None:
    _remove_and_forget(log, ids)
    log.root("UPDATE audit_seals SET entry_count = 2 WHERE number = 2")


def _remove_seal(log: Log, ids: list[UUID]) -> None:
    log.root("DELETE FROM audit_seals WHERE number = 2")
    log.root("DELETE FROM audit_seal_entries WHERE seal_number = 2")
    log.root("DELETE FROM audit_logs WHERE id IN (%s, %s, %s)", *(i.bytes for i in ids[3:6]))


def _close_up(log: Log, ids: list[UUID]) -> None:
    """Seal 2 is taken out, and 3 is numbered 2."""
    _remove_seal(log, ids)
    log.root("UPDATE audit_seals SET number = 2 WHERE number = 3")
    log.root("UPDATE audit_seal_entries SET seal_number = 2 WHERE seal_number = 3")


def _hash_anew(log: Log, ids: list[UUID]) -> None:
    """An entry of seal 1 is changed, and its hash and that of its seal are made to fit."""
    log.root("UPDATE audit_logs SET actor_name = 'x' WHERE id = %s", ids[1].bytes)
    (row,) = log.root(f"SELECT id, {', '.join(_columns())} FROM audit_logs WHERE id = %s",
                      ids[1].bytes)  # fmt: skip
    stored = StoredAuditEntry(UUID(bytes=row[0]), row[1].replace(tzinfo=UTC), *_uuids(row[2:]))
    log.root(
        "UPDATE audit_seal_entries SET sha256 = %s WHERE audit_id = %s",
        entry_sha256(stored), ids[1].bytes,
    )  # fmt: skip
    (seal,) = log.root("SELECT * FROM audit_seals WHERE number = 1")
    times = [v.replace(tzinfo=UTC) if hasattr(v, "year") else v for v in seal]
    leaves = log.root(
        "SELECT audit_id, sha256 FROM audit_seal_entries WHERE seal_number = 1 ORDER BY audit_id"
    )
    digest = seal_sha256(AuditSeal(*times), ((UUID(bytes=i), h) for i, h in leaves))
    log.root("UPDATE audit_seals SET sha256 = %s WHERE number = 1", digest)


def _uuids(row: tuple[Any, ...]) -> list[Any]:
    # Columns 4 and 8 of the entry.
    return [UUID(bytes=v) if isinstance(v, bytes) else v for v in row]


TAMPERINGS: Final[dict[str, tuple[Tamper, BreakKind, int | None, int | None]]] = {
    "two entries swapped": (_swap, BreakKind.CHANGED, 1, 1),
    "two entries in each other's seal": (_swap_seals, BreakKind.SEAL, 1, None),
    "an entry added": (_add, BreakKind.SEAL, 3, None),
    "an entry added to a seal": (_add_to_seal, BreakKind.ADDED, 1, -1),
    "an entry added to no seal": (_add_to_no_seal, BreakKind.ADDED, 99, -1),
    "an entry removed": (_remove, BreakKind.REMOVED, 2, 4),
    "an entry removed and forgotten": (_remove_and_forget, BreakKind.REMOVED, 2, None),
    "an entry removed and counted": (_remove_and_count, BreakKind.SEAL, 2, None),
    "a seal removed": (_remove_seal, BreakKind.SEAL, 2, None),
    "a seal removed, the next in its place": (_close_up, BreakKind.SEAL, 2, None),
    "an entry, its hash and its seal": (_hash_anew, BreakKind.SEAL, 2, None),
}


@pytest.mark.parametrize("name", sorted(TAMPERINGS))
async def test_what_was_done_to_the_log_is_found_where_it_was(log: Log, name: str) -> None:
    tamper, kind, seal, entry = TAMPERINGS[name]
    ids = await ten(log)
    tamper(log, ids)
    found = (await log.sealer.audit.seals.verify()).broken
    assert found is not None
    assert (found.kind, found.seal_number) == (kind, seal), found
    if entry is not None and entry >= 0:
        assert found.audit_id == ids[entry]


async def test_an_entry_among_old_ones_is_found_once_it_cannot_be_late(log: Log) -> None:
    ids = await ten(log)
    new = uuid4()
    _copy(log, ids[1], new)
    # Its transaction may have taken that long.
    found = await log.sealer.audit.seals.verify()
    assert (found.is_ok, found.unsealed) == (True, 4)
    log.clock.move(timedelta(days=3))
    await log.write(1)
    await log.sealer.audit.seals.seal()
    log.clock.move(timedelta(days=3))
    await log.write(1)
    await log.sealer.audit.seals.seal()
    newer = uuid4()
    _copy(log, ids[2], newer)
    found = await log.sealer.audit.seals.verify()
    assert found.broken is not None
    assert (found.broken.kind, found.broken.audit_id) == (BreakKind.ADDED, newer)
    # What an import brought is sealed by who says so.
    sealed = await log.sealer.audit.seals.seal(since=dal.SystemClock().now() - timedelta(days=9999))
    assert sealed.entries == 1
    assert (await log.sealer.audit.seals.verify()).is_ok


async def test_a_cut_off_end_is_found_by_an_anchor(log: Log) -> None:
    ids = await ten(log)
    anchor = await log.sealer.audit.seals.anchor()
    for sql in (
        "DELETE FROM audit_seal_entries WHERE seal_number = 3",
        "DELETE FROM audit_seals WHERE number = 3",
    ):
        log.root(sql)
    log.root("DELETE FROM audit_logs WHERE id >= %s", ids[6].bytes)
    # Nothing else shows it.
    assert (await log.sealer.audit.seals.verify()).is_ok
    found = (await log.sealer.audit.seals.verify(anchor)).broken
    assert found is not None
    assert found.kind is BreakKind.CUT_OFF
    # Nor that others were written in their place.
    await log.write(1)
    await log.sealer.audit.seals.seal()
    assert (await log.sealer.audit.seals.verify()).is_ok
    found = (await log.sealer.audit.seals.verify(anchor)).broken
    assert found is not None
    assert (found.kind, found.seal_number) == (BreakKind.ANCHOR, 3)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"seal": 1}', "null",
     json.dumps({"at": "x", "seal": 0, "seal_sha256": "", "checkpoint": 0,
                 "checkpoint_sha256": ""})],
)  # fmt: skip
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        AuditAnchor.from_json(text)
    assert caught.value.field == "anchor"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"late": -timedelta(1)}, "late"),
        ({"late": 5}, "late"),
        ({"since": "2026"}, "since"),
        ({"entries_at_once": 0}, "entries_at_once"),
        ({"entries_at_once": 10_001}, "entries_at_once"),
        ({"entries_at_once": True}, "entries_at_once"),
    ],
)
async def test_what_a_sealer_does_not_understand(
    log: Log, asked: dict[str, Any], field: str
) -> None:
    await log.write(1)
    await log.sealer.audit.seals.seal()
    with pytest.raises(dal.ValueRejectedError) as caught:
        await log.sealer.audit.seals.seal(**asked)
    assert caught.value.field == field


async def test_an_entry_that_commits_late_is_in_a_later_seal(log: Log) -> None:
    async with log.ada.begin() as tx:
        await tx.audit.record("note.add", after={"late": True})
        late = (await tx.audit.list_mine()).rows[0].id
        await log.write_outside(2)
        assert (await log.sealer.audit.seals.seal()).entries == 2
    assert (await log.sealer.audit.seals.verify()).unsealed == 1
    assert (await log.sealer.audit.seals.seal()).entries == 1
    (row,) = log.root("SELECT seal_number FROM audit_seal_entries WHERE audit_id = %s", late.bytes)
    assert row == (2,)
    assert (await log.sealer.audit.seals.verify()).is_ok


async def test_writers_and_sealers_at_once_lose_no_entry(log: Log) -> None:
    """Fifty writers, some of which roll back, three sealers, and one who verifies."""
    writing = True
    written = 0

    async def write(n: int) -> None:
        nonlocal written
        for i in range(6):
            with suppress(ZeroDivisionError):
                async with log.ada.begin() as tx:
                    await tx.audit.record("note.add", after={"writer": n, "i": i})
                    await asyncio.sleep(0)
                    if i % 3 == 2:
                        raise ZeroDivisionError
                written += 1

    async def seal() -> int:
        n = 0
        while writing:
            n += (await log.sealer.audit.seals.seal(entries_at_once=20)).entries
        return n

    async def verify() -> None:
        while writing:
            found = await log.sealer.audit.seals.verify()
            assert found.is_ok, found.broken

    async def all_writers() -> None:
        nonlocal writing
        try:
            await asyncio.gather(*map(write, range(50)))
        finally:
            writing = False

    _, *sealed, _ = await asyncio.gather(all_writers(), seal(), seal(), seal(), verify())
    rest = await log.sealer.audit.seals.seal()
    assert written == 200
    assert sum(n for n in sealed if n is not None) + rest.entries == written
    found = await log.sealer.audit.seals.verify()
    assert (found.is_ok, found.entries, found.unsealed) == (True, written, 0)


async def test_no_writer_waits_for_the_sealer(log: Log) -> None:
    """Nor the sealer for a writer: fifty of them and one, and no row lock is waited for."""
    waits = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_waits'"
    before = log.root(waits)
    writing = True

    async def seal() -> None:
        while writing:
            await log.sealer.audit.seals.seal(entries_at_once=10)

    async def write(n: int) -> None:
        for i in range(4):
            await log.ada.audit.record("note.add", after={"writer": n, "i": i})

    sealer = asyncio.create_task(seal())
    await asyncio.gather(*map(write, range(50)))
    writing = False
    await sealer
    await log.sealer.audit.seals.seal()
    assert log.root(waits) == before
    assert (await log.sealer.audit.seals.verify()).entries == 200


async def test_a_sealer_that_is_killed_leaves_nothing_half_done(log: Log) -> None:
    await log.write(12)
    for _ in range(8):
        task = asyncio.create_task(log.sealer.audit.seals.seal(entries_at_once=2))
        for _ in range(6):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert (await log.sealer.audit.seals.verify()).is_ok
    await log.sealer.audit.seals.seal(entries_at_once=2)
    found = await log.sealer.audit.seals.verify()
    assert (found.is_ok, found.entries, found.unsealed) == (True, 12, 0)


async def test_a_sealer_that_was_killed_goes_on_days_later(log: Log) -> None:
    """Where it ended, and not where it was made."""
    for _ in range(5):
        log.clock.move(timedelta(days=2))
        await log.write(2)
    task = asyncio.create_task(log.sealer.audit.seals.seal(entries_at_once=2))
    while not log.root("SELECT COUNT(*) FROM audit_seals")[0][0]:  # noqa: ASYNC110 - no event
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    ((n_sealed,),) = log.root("SELECT COUNT(*) FROM audit_seal_entries")
    assert n_sealed < 10
    assert (await log.sealer.audit.seals.verify()).is_ok
    log.clock.move(timedelta(days=9))
    assert (await log.sealer.audit.seals.seal()).entries == 10 - n_sealed
    assert (await log.sealer.audit.seals.verify()).unsealed == 0


async def test_what_takes_transactions_of_its_own_is_part_of_none(log: Log) -> None:
    attempts: list[tuple[dal.Session, Callable[[dal.Session], Any]]] = [
        (log.sealer, lambda tx: tx.audit.seals.seal()),
        (log.sealer, lambda tx: tx.audit.seals.verify()),
        (log.retention, lambda tx: tx.audit.retention.retain()),
        (log.app, lambda tx: tx.audit.export.write(lambda data: None)),
    ]
    for session, work in attempts:
        with pytest.raises(dal.UsageError):
            async with session.begin() as tx:
                await work(tx)


async def test_an_audited_write_is_one_insert_more(log: Log) -> None:
    told = Recorder()
    async with dal.connect(clock=log.clock, on_statement=told, **options(log.config)) as db:
        me = db.acting_as(log.ada.actor)
        await me.audit.record("note.add")
        assert told.names == ["transaction/start", "audit_logs/insert", "transaction/commit"]
    # And with a sealer's rights there is no way to write one.
    with pytest.raises(dal.ServerError):
        await log.sealer.audit.record("note.add")
