"""The log against a plain list: writers, rollbacks, crashes, sealers, purges, holds, and root.

After each step the log verifies, and what is stored is what was written and not removed. Then one
thing is changed by root, and verification names it; and changed back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import dal
from dal.config import Config
from dal.provision import Accounts, connect, prepare_temporary
from dal.repositories.audit_writer import REDACTED, canonical, redact
from dal.server import PrivateServer
from tests.conftest import CHEAP_HASHES, START, options
from tests.properties.profiles import machine_settings, property_settings

TABLES: Final = (
    "audit_logs", "audit_seals", "audit_seal_entries", "audit_checkpoints", "audit_holds",
)  # fmt: skip
SEVERITIES: Final = list(dal.AuditSeverity)
POLICY: Final = dal.RetentionPolicy.of({"default": 5, "severity": {"high": 20, "critical": None}})


@attrs.frozen
class Place:
    """The accounts of a database of its own, and root."""

    accounts: Accounts
    admin: Any


@pytest.fixture(scope="module")
def place(server: PrivateServer) -> Iterator[Place]:
    accounts = prepare_temporary(server, "audited")
    config = dal.config.parse(server.admin_url("audited"))
    assert isinstance(config, Config)
    with closing(connect(config)) as admin:
        yield Place(accounts, admin)


@attrs.define
class Written:
    """An entry as it should be."""

    id: UUID
    n: int
    severity: dal.AuditSeverity
    at: datetime
    sealed: bool = False


class AuditMachine(RuleBasedStateMachine):
    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.clock = dal.ManualClock(START)
        for table in TABLES:
            self.root(f"TRUNCATE TABLE {table}")
        self.entries: list[Written] = []
        self.purged = 0
        self.n = 0
        self.hold: dal.AuditHold | None = None
        self.anchors: list[dal.AuditAnchor] = []
        self.runner.run(self.open())

    async def open(self) -> None:
        async def session(role: str, actor: dal.Actor) -> dal.Session:
            config = self.place.accounts.config(role, database="audited")
            database = dal.connect(clock=self.clock, **options(config), **CHEAP_HASHES)
            return (await self.stack.enter_async_context(database)).acting_as(actor)

        self.ada = await session("dal_application", dal.Actor.user(dal.new_id(START)))
        self.app = await session("dal_application", dal.Actor.system("tests"))
        self.sealer = await session("dal_sealer", dal.Actor.system("sealer"))
        self.retention = await session("dal_retention", dal.Actor.system("retention"))

    def root(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self.place.admin.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    async def record(self, tx: dal.Session, severity: dal.AuditSeverity) -> None:
        self.n += 1
        await tx.audit.record("note.add", severity=severity, after={"n": self.n})

    def took(self, first: int, severity: dal.AuditSeverity) -> None:
        """What was committed since entry ``first``."""
        for n in range(first + 1, self.n + 1):
            ((found,),) = self.root(
                "SELECT id FROM audit_logs WHERE action = 'note.add' AND changes LIKE %s",
                f'%"to":{n}}}%',
            )
            self.entries.append(Written(UUID(bytes=found), n, severity, self.clock.now()))

    # ------------------------------------------------------------------- rules

    @rule(severity=st.sampled_from(SEVERITIES), many=st.integers(1, 4), keep=st.booleans())
    def write(self, severity: dal.AuditSeverity, many: int, keep: bool) -> None:
        first = self.n

        async def work() -> None:
            async with self.ada.begin() as tx:
                for _ in range(many):
                    await self.record(tx, severity)
                if not keep:
                    raise ZeroDivisionError

        with suppress(ZeroDivisionError):
            self.run(work())
        if keep:
            self.took(first, severity)

    @rule(severity=st.sampled_from(SEVERITIES), size=st.integers(1, 3))
    def seal_while_one_is_written(self, severity: dal.AuditSeverity, size: int) -> None:
        """What is not committed yet is in no seal, and in a later one."""
        first = self.n

        async def work() -> None:
            async with self.ada.begin() as tx:
                await self.record(tx, severity)
                await asyncio.create_task(self.seal_all(size))

        self.run(work())
        for entry in self.entries:
            entry.sealed = True
        self.took(first, severity)

    async def seal_all(self, size: int) -> dal.Sealing:
        return await self.sealer.audit.seals.seal(entries_at_once=size)

    @rule(size=st.integers(1, 3))
    def seal(self, size: int) -> None:
        assert not self.run(self.seal_all(size)).is_overtaken
        for entry in self.entries:
            entry.sealed = True

    @rule(steps=st.integers(1, 12), size=st.integers(1, 3))
    def kill_a_sealer(self, steps: int, size: int) -> None:
        async def work() -> None:
            task = asyncio.create_task(self.seal_all(size))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        self.run(work())
        sealed = {
            UUID(bytes=row[0]) for row in self.root("SELECT audit_id FROM audit_seal_entries")
        }
        for entry in self.entries:
            entry.sealed = entry.id in sealed

    @rule(days=st.integers(1, 9))
    def wait(self, days: int) -> None:
        self.clock.move(timedelta(days=days))

    def is_due(self, entry: Written) -> bool:
        if entry.severity == dal.AuditSeverity.CRITICAL or not entry.sealed:
            return False
        days = 20 if entry.severity == dal.AuditSeverity.HIGH else 5
        return self.clock.now() - entry.at > timedelta(days=days)

    @rule(at_most=st.none() | st.integers(1, 3))
    def retain(self, at_most: int | None) -> None:
        archive: list[bytes] = []
        done = self.run(
            self.retention.audit.retention.retain(POLICY, at_most=at_most, archive=archive.append)
        )
        if self.hold is not None:
            assert done.purged == 0
            return
        gone = {json.loads(line)["id"] for lines in archive for line in lines.splitlines()}
        due = [entry for entry in self.entries if self.is_due(entry)]
        left = [entry for entry in self.entries if str(entry.id) not in gone]
        assert {entry.n for entry in self.entries} - {entry.n for entry in left} <= {
            entry.n for entry in due
        }
        if at_most is None:
            assert not any(self.is_due(entry) for entry in left)
        self.entries = left
        self.purged += done.purged

    @precondition(lambda self: self.hold is None)
    @rule()
    def place_hold(self) -> None:
        self.hold = self.run(self.app.audit.retention.place_hold("Case"))

    @precondition(lambda self: self.hold is not None)
    @rule()
    def release_hold(self) -> None:
        assert self.hold is not None
        self.run(self.app.audit.retention.release_hold(self.hold.id))
        self.hold = None

    @rule()
    def keep_anchor(self) -> None:
        self.anchors.append(self.run(self.sealer.audit.seals.anchor()))

    @precondition(lambda self: any(entry.sealed for entry in self.entries))
    @rule(n=st.integers(0, 10**6), column=st.sampled_from(["changes", "outcome", "affected"]))
    def flip(self, n: int, column: str) -> None:
        """One field of one sealed entry is changed, found, and changed back."""
        sealed = [entry for entry in self.entries if entry.sealed]
        entry = sealed[n % len(sealed)]
        where = "WHERE id = %s"
        ((before,),) = self.root(f"SELECT {column} FROM audit_logs {where}", entry.id.bytes)
        other = {"changes": "{}", "outcome": "failure", "affected": 7}[column]
        self.root(f"UPDATE audit_logs SET {column} = %s {where}", other, entry.id.bytes)
        broken = self.run(self.sealer.audit.seals.verify()).broken
        assert broken is not None
        assert (broken.kind, broken.audit_id) == (dal.BreakKind.CHANGED, entry.id)
        self.root(f"UPDATE audit_logs SET {column} = %s {where}", before, entry.id.bytes)

    # --------------------------------------------------------------- invariants

    @invariant()
    def everything_is_there_and_verifies(self) -> None:
        anchor = self.anchors[0] if self.anchors else None
        found = self.run(self.sealer.audit.seals.verify(anchor))
        assert found.is_ok, found.broken
        assert found.purged == self.purged
        rows = self.root("SELECT id FROM audit_logs WHERE action = 'note.add'")
        assert {UUID(bytes=row[0]) for row in rows} == {entry.id for entry in self.entries}
        if self.anchors:
            assert self.run(self.sealer.audit.seals.verify(self.anchors[-1])).is_ok


def test_the_log_is_what_a_list_says(place: Place) -> None:
    made: Any = partial(AuditMachine, place)
    run_state_machine_as_test(made, settings=machine_settings())


# Secrets at any depth -----------------------------------------------------------------------------

names = st.sampled_from(
    ["password", "Passwd", "api_key", "apiKey", "API-Key", "client_secret", "token", "authToken",
     "Authorization", "cookie", "private_key", "otp", "pin", "salt", "signature", "jwt", "dsn"]
)  # fmt: skip
plain = st.none() | st.booleans() | st.integers() | st.text(max_size=8)


def _planted(secret: str) -> st.SearchStrategy[Any]:
    """Values of any shape, with the secret below keys that name one."""
    return st.recursive(
        st.dictionaries(names, st.just(secret) | st.lists(st.just(secret), max_size=2), min_size=1),
        lambda inner: (
            st.lists(inner | plain, min_size=1, max_size=3)
            | st.dictionaries(st.text("abcxyz", max_size=5), inner | plain, min_size=1, max_size=3)
            | st.dictionaries(names, inner, min_size=1, max_size=2)
        ),
        max_leaves=8,
    )


@given(value=_planted("s3cr3t-9f2"))
def test_a_planted_secret_is_in_no_byte(value: Any) -> None:
    text = canonical(redact({"given": value}))
    assert "s3cr3t" not in text
    assert REDACTED in text or "s3cr3t" not in str(value)


@given(value=_planted("s3cr3t-9f2"))
@property_settings()
def test_a_planted_secret_is_in_no_stored_byte(place: Place, value: Any) -> None:
    async def work() -> None:
        config = place.accounts.config("dal_application", database="audited")
        async with dal.connect(**options(config), **CHEAP_HASHES) as db:
            me = db.acting_as(dal.Actor.user(dal.new_id(START)))
            await me.audit.record("note.add", before={"given": value}, after={"found": value})

    asyncio.run(work())
    with place.admin.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM audit_logs WHERE changes LIKE '%s3cr3t%'")
        assert cursor.fetchone() == (0,)
