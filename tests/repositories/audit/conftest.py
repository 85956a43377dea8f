"""A database of its own for what is sealed, tampered with and removed, and an account a role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from typing import Any
from uuid import UUID

import attrs
import pytest

import dal
from dal.config import Config
from dal.provision import Accounts, connect, prepare_temporary
from dal.server import PrivateServer
from tests.conftest import CHEAP_HASHES, START, options

_SECOND = timedelta(seconds=1)
_TABLES = ("audit_logs", "audit_seals", "audit_seal_entries", "audit_checkpoints", "audit_holds")


@pytest.fixture(scope="session")
def log_accounts(server: PrivateServer) -> Accounts:
    return prepare_temporary(server, "sealed")


@attrs.frozen
class Log:
    """An empty log: who writes it, who seals it, who removes from it, and root."""

    clock: dal.ManualClock
    app: dal.Session
    ada: dal.Session
    sealer: dal.Session
    retention: dal.Session
    admin: Any
    config: Config
    sealer_config: Config
    db: dal.Database

    def app_as(self, actor: dal.Actor) -> dal.Session:
        """The application, as somebody else."""
        return self.db.acting_as(actor)

    def root(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """A statement as root."""
        with self.admin.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    async def write(self, n: int = 1) -> list[UUID]:
        """Entries of Ada, a second apart; their ids, oldest first."""
        before = self.ids()
        for i in range(n):
            self.clock.move(_SECOND)
            await self.ada.audit.record("note.add", after={"n": i, "text": f"näme {i} \U0001f600"})
        return [one for one in self.ids() if one not in before]

    async def write_outside(self, n: int) -> None:
        """Entries of somebody else, while a transaction of Ada's is open in this task."""

        async def write() -> None:
            for i in range(n):
                await self.app.audit.record("note.add", after={"n": i})

        await asyncio.create_task(write())

    def fill(self, n: int) -> None:
        """Many entries at once, of one time and after it."""
        with self.admin.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO audit_logs (id, occurred_at, actor_type, action, target_type, outcome,"
                " affected, changes) VALUES"
                " (%s, %s, 'system', 'filled.in', 'filled', 'success', 1, '{}')",
                [((10**30 + i).to_bytes(16), f"2026-02-01 00:00:00.{i // 7:06}") for i in range(n)],
            )

    def ids(self) -> list[UUID]:
        """All entries, oldest first."""
        rows = self.root("SELECT id FROM audit_logs ORDER BY occurred_at, id")
        return [UUID(bytes=row[0]) for row in rows]


@pytest.fixture(scope="session")
def log_admin(log_accounts: Accounts, server: PrivateServer) -> Iterator[Any]:
    config = dal.config.parse(server.admin_url("sealed"))
    assert isinstance(config, Config)
    with closing(connect(config)) as connection:
        yield connection


@pytest.fixture(scope="session")
def log_configs(log_accounts: Accounts) -> dict[str, Config]:
    return {role: log_accounts.config(role, database="sealed") for role in log_accounts.by_role}


@pytest.fixture
async def log(log_accounts: Accounts, log_admin: Any) -> AsyncIterator[Log]:
    clock = dal.ManualClock(START)
    with log_admin.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"TRUNCATE TABLE {table}")
    configs = [
        log_accounts.config(role, database="sealed")
        for role in ("dal_application", "dal_sealer", "dal_retention")
    ]
    async with AsyncExitStack() as stack:
        app, sealer, retention = [
            await stack.enter_async_context(
                dal.connect(clock=clock, **options(config), **CHEAP_HASHES)
            )
            for config in configs
        ]
        job = dal.Actor.system("sealer")
        yield Log(
            clock=clock,
            app=app.acting_as(dal.Actor.system("tests")),
            ada=app.acting_as(dal.Actor.user(dal.new_id(START), ip="192.0.2.9")),
            sealer=sealer.acting_as(job),
            retention=retention.acting_as(dal.Actor.system("retention")),
            admin=log_admin,
            config=configs[0],
            sealer_config=configs[1],
            db=app,
        )
