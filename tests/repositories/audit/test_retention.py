"""What is old enough is archived and removed; verification passes all the same, and tells."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import pytest

import dal
from dal import AuditCategory, AuditSeverity, BreakKind, RetentionPolicy
from tests.repositories.audit.conftest import Log

DAY: Final = timedelta(days=1)
POLICY: Final = RetentionPolicy.of(
    {"default": 10, "severity": {"high": 30, "critical": None}, "category": {"application": 20}}
)


async def record(log: Log, severity: str) -> UUID:
    """An entry of Ada, as severe; its id."""
    await log.ada.audit.record("note.add", severity=severity, after={"severity": severity})
    return (await log.ada.audit.list_mine(limit=1)).rows[0].id


async def three_kinds(log: Log) -> dict[str, list[UUID]]:
    """Four of each severity, sealed by five."""
    ids: dict[str, list[UUID]] = {"low": [], "high": [], "critical": []}
    for _ in range(4):
        for severity, found in ids.items():
            log.clock.move(timedelta(minutes=1))
            found.append(await record(log, severity))
    await log.sealer.audit.seals.seal(entries_at_once=5)
    return ids


async def test_each_kind_is_kept_as_long_as_the_policy_says(log: Log) -> None:
    ids = await three_kinds(log)
    retain = log.retention.audit.retention.retain
    log.clock.move(19 * DAY)
    assert (await retain(POLICY)).purged == 0
    log.clock.move(2 * DAY)
    found = await retain(POLICY)
    assert (found.purged, found.checkpoints, found.lag) == (4, 2, timedelta(0))
    assert set(log.ids()) == {*ids["high"], *ids["critical"]}
    verified = await log.sealer.audit.seals.verify()
    assert (verified.is_ok, verified.entries, verified.purged) == (True, 8, 4)
    log.clock.move(10 * DAY)
    assert (await retain(POLICY)).purged == 4
    log.clock.move(10_000 * DAY)
    assert (await retain(POLICY)).purged == 0
    verified = await log.sealer.audit.seals.verify()
    assert (verified.is_ok, verified.entries, verified.purged) == (True, 4, 8)
    assert verified.checkpoints == 5


async def test_of_a_seal_of_which_nothing_is_left_the_list_goes_too(log: Log) -> None:
    await log.write(7)
    await log.sealer.audit.seals.seal(entries_at_once=3)
    log.clock.move(400 * DAY)
    await log.write(2)
    assert (await log.retention.audit.retention.retain()).purged == 7
    assert log.root("SELECT COUNT(*) FROM audit_seal_entries") == [(0,)]
    assert log.root("SELECT COUNT(*) FROM audit_seals") == [(3,)]
    await log.sealer.audit.seals.seal()
    verified = await log.sealer.audit.seals.verify()
    assert (verified.is_ok, verified.entries, verified.purged) == (True, 2, 7)


async def test_what_is_removed_was_archived_before(log: Log) -> None:
    await log.write(5)
    await log.sealer.audit.seals.seal(entries_at_once=3)
    whole: list[bytes] = []
    log.clock.move(timedelta(seconds=1))
    await log.app.audit.export.write(whole.append)
    log.clock.move(400 * DAY)
    archive: list[bytes] = []

    def full(lines: bytes) -> None:
        raise OSError("no space left")

    retain = log.retention.audit.retention.retain
    with pytest.raises(OSError, match="no space"):
        await retain(archive=full)
    assert len(log.ids()) == 6
    await log.sealer.audit.seals.seal(entries_at_once=3)
    assert (await retain(archive=archive.append)).purged == 5
    # As they would have been exported; what an export is told by is not old yet.
    assert b"".join(archive) == b"".join(whole)
    hashes = log.root("SELECT archive_sha256 FROM audit_checkpoints ORDER BY number")
    assert hashes == [(sha256(lines).digest(),) for lines in archive]


HOLDS: Final[dict[str, dict[str, Any]]] = {
    "everything": {},
    "of an actor": {"actor": True},
    "about a kind": {"target_type": "note"},
    "about one": {"target_type": "note", "target": True},
    "both": {"actor": True, "target_type": "note"},
}


@pytest.mark.parametrize("name", sorted(HOLDS))
async def test_what_is_held_is_not_removed(log: Log, name: str) -> None:
    said = dict(HOLDS[name])
    about = dal.new_id(log.clock.now())
    await log.ada.audit.record("note.add", target_id=about)
    await log.app.audit.record("message.add")
    held = (await log.ada.audit.list_mine()).rows[0].id
    if said.pop("actor", False):
        said["actor_id"] = log.ada.actor.id
    if said.pop("target", False):
        said["target_id"] = about
    hold = await log.app.audit.retention.place_hold("Case 7", **said)
    await log.sealer.audit.seals.seal()
    log.clock.move(400 * DAY)
    found = await log.retention.audit.retention.retain()
    everything = name == "everything"
    # The entries of holds and exports are of high severity, and stay longer anyway.
    assert (found.held, found.purged) == ((2, 0) if everything else (1, 1))
    assert held in log.ids()
    assert found.lag == timedelta(0)
    await log.app.audit.retention.release_hold(hold.id)
    with pytest.raises(dal.NotFoundError):
        await log.app.audit.retention.release_hold(hold.id)
    assert (await log.retention.audit.retention.retain()).held == 0
    assert held not in log.ids()
    assert (await log.sealer.audit.seals.verify()).is_ok


async def test_what_has_no_seal_stays_and_is_told_as_lag(log: Log) -> None:
    await log.write(2)
    log.clock.move(366 * DAY)
    found = await log.retention.audit.retention.retain()
    assert (found.purged, found.unsealed) == (0, 2)
    assert found.lag == DAY + timedelta(seconds=1)
    await log.sealer.audit.seals.seal()
    found = await log.retention.audit.retention.retain(at_most=1)
    assert (found.purged, found.lag) == (1, DAY)
    found = await log.retention.audit.retention.retain()
    assert (found.purged, found.lag) == (1, timedelta(0))


def _remove_more(log: Log) -> None:
    log.root("DELETE FROM audit_logs ORDER BY occurred_at DESC LIMIT 1")


def _put_back(log: Log) -> None:
    log.root("UPDATE audit_logs SET id = %s ORDER BY occurred_at LIMIT 1", _GONE[0].bytes)


def _widen(log: Log) -> None:
    log.root("UPDATE audit_checkpoints SET gone = 0xffff WHERE number = 1")


def _forget(log: Log) -> None:
    log.root("DELETE FROM audit_checkpoints WHERE number = 1")


_GONE: list[UUID] = []
TAMPERINGS: Final = {
    "removed without a checkpoint": (_remove_more, BreakKind.REMOVED),
    "put back": (_put_back, BreakKind.ADDED),
    "a checkpoint that says more": (_widen, BreakKind.CHECKPOINT),
    "a checkpoint taken away": (_forget, BreakKind.CHECKPOINT),
}


@pytest.mark.parametrize("name", sorted(TAMPERINGS))
async def test_a_purge_hides_nothing_else(log: Log, name: str) -> None:
    tamper, kind = TAMPERINGS[name]
    ids = await three_kinds(log)
    log.clock.move(25 * DAY)
    await log.retention.audit.retention.retain(POLICY)
    _GONE[:] = ids["low"][:1]
    anchor = await log.sealer.audit.seals.anchor()
    assert (await log.sealer.audit.seals.verify(anchor)).is_ok
    tamper(log)
    found = (await log.sealer.audit.seals.verify()).broken
    assert found is not None
    assert found.kind is kind
    if kind is BreakKind.REMOVED:
        assert found.audit_id == ids["critical"][-1]


async def test_what_was_changed_is_not_removed(log: Log) -> None:
    """Whoever makes an entry old or unimportant does not have it removed."""
    ids = await three_kinds(log)
    changed = ids["critical"][2]
    log.root("UPDATE audit_logs SET severity = 'low' WHERE id = %s", changed.bytes)
    log.clock.move(25 * DAY)
    archive: list[bytes] = []
    found = await log.retention.audit.retention.retain(POLICY, archive=archive.append)
    assert found.broken is not None
    assert (found.broken.kind, found.broken.audit_id) == (BreakKind.CHANGED, changed)
    # The seal before it is done; nothing of its own is.
    assert (found.purged, len(archive)) == (2, 1)
    assert changed in log.ids()
    verified = (await log.sealer.audit.seals.verify()).broken
    assert verified is not None
    assert verified.audit_id == changed


async def test_checkpoints_that_were_cut_off_are_found_by_an_anchor(log: Log) -> None:
    await three_kinds(log)
    log.clock.move(25 * DAY)
    await log.retention.audit.retention.retain(POLICY)
    anchor = await log.sealer.audit.seals.anchor()
    log.root("DELETE FROM audit_checkpoints WHERE number = 2")
    found = (await log.sealer.audit.seals.verify(anchor)).broken
    assert found is not None
    assert found.kind is BreakKind.CUT_OFF


async def test_runs_at_once_and_killed_ones_remove_each_entry_once(log: Log) -> None:
    await log.write(40)
    await log.sealer.audit.seals.seal(entries_at_once=4)
    log.clock.move(400 * DAY)
    archive: list[bytes] = []

    async def retain() -> int:
        found = await log.retention.audit.retention.retain(archive=archive.append)
        return found.purged

    for _ in range(3):
        task = asyncio.create_task(retain())
        for _ in range(40):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert (await log.sealer.audit.seals.verify()).is_ok
    await asyncio.gather(*(retain() for _ in range(4)))
    await retain()
    assert log.ids() == []
    told = {json.loads(line)["id"] for lines in archive for line in lines.splitlines()}
    assert len(told) == 40
    assert log.root("SELECT SUM(entry_count) FROM audit_checkpoints") == [(40,)]
    verified = await log.sealer.audit.seals.verify()
    assert (verified.is_ok, verified.purged, verified.entries) == (True, 40, 0)


async def test_a_verification_while_entries_are_removed_is_ok(log: Log) -> None:
    await log.write(30)
    await log.sealer.audit.seals.seal(entries_at_once=2)
    log.clock.move(400 * DAY)

    async def verify() -> None:
        for _ in range(6):
            found = await log.sealer.audit.seals.verify()
            assert found.is_ok, found.broken

    await asyncio.gather(log.retention.audit.retention.retain(), verify(), verify())


@pytest.mark.parametrize(
    "values",
    [
        None, [], {"days": 5}, {"default": 0}, {"default": "1"}, {"default": True},
        {"category": []}, {"category": {"no": 5}}, {"severity": {"low": -1}},
        {"severity": {"low": 36_501}},
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused(values: object) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        RetentionPolicy.of(values)
    assert caught.value.field == "policy"


def test_the_longest_of_what_applies_is_kept(log_clock: dal.ManualClock) -> None:
    now = log_clock.now()
    assert json.loads(POLICY.text) == {
        "default": 10,
        "category": {"application": 20},
        "severity": {"critical": None, "high": 30},
    }

    def days(category: AuditCategory, severity: AuditSeverity) -> int | None:
        cutoff = POLICY.cutoff(now, category, severity)
        return None if cutoff is None else (now - cutoff).days

    assert days(AuditCategory.DATA, AuditSeverity.LOW) == 10
    assert days(AuditCategory.APPLICATION, AuditSeverity.LOW) == 20
    assert days(AuditCategory.APPLICATION, AuditSeverity.HIGH) == 30
    assert days(AuditCategory.DATA, AuditSeverity.CRITICAL) is None
    assert POLICY.latest_cutoff(now) == now - 10 * DAY
    assert RetentionPolicy.of({"default": None}).latest_cutoff(now) is None


@pytest.fixture
def log_clock() -> dal.ManualClock:
    return dal.ManualClock(dal.SystemClock().now())


async def test_only_the_role_of_retention_removes(log: Log) -> None:
    await log.write(1)
    await log.sealer.audit.seals.seal()
    log.clock.move(400 * DAY)
    for session in (log.app, log.sealer):
        with pytest.raises(dal.ServerError):
            await session.audit.retention.retain()
    with pytest.raises(dal.ServerError):
        await log.app.audit.seals.seal()
    for policy, at_most, field in (
        (5, None, "policy"),
        (None, "x", "at_most"),
        (None, 0, "at_most"),
    ):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await log.retention.audit.retention.retain(policy, at_most=at_most)  # type: ignore[arg-type]
        assert caught.value.field == field
