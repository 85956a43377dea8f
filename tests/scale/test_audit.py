"""A million entries: sealed, verified in constant memory, asked, and removed in batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import attrs
import pytest

import dal
from dal.config import Config, parse
from dal.provision import connect as connect_blocking
from dal.provision import prepare_temporary
from dal.server import Engine, start_temporary
from tests.conftest import START, Recorder, options
from tests.scale import ROOMY
from tests.scale.memory import resident_bytes

N: Final = 1_100_000
REMOVED: Final = 98_000
"""Of the first hundred thousand, but for those of high severity."""

_SEED: Final = 1_000
_MIB: Final = 1024 * 1024


@attrs.frozen
class Log:
    clock: dal.ManualClock
    recorder: Recorder
    app: dal.Session
    sealer: dal.Session
    retention: dal.Session
    admin: Config


def _rows() -> list[tuple[Any, ...]]:
    at = START.replace(tzinfo=None)
    return [
        (
            n.to_bytes(16),
            at + timedelta(seconds=n),
            (n % 97).to_bytes(16),
            "denied" if n % 100 == 7 else "success",
            f'{{"name":{{"from":"Template {n}","to":"Template {n + 1}"}}}}',
            "high" if n % 50 == 9 else "low",
        )
        for n in range(_SEED)
    ]


@pytest.fixture(scope="module")
async def log(engine: Engine) -> AsyncIterator[Log]:
    server = await asyncio.to_thread(start_temporary, engine, options=ROOMY)
    try:
        accounts = await asyncio.to_thread(prepare_temporary, server)
        admin = parse(server.admin_url("dal"))
        assert isinstance(admin, Config)
        with connect_blocking(admin) as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO audit_logs (id, occurred_at, actor_type, actor_id, action,"
                " target_type, target_id, outcome, affected, changes, severity) VALUES"
                " (%s, %s, 'user', %s, 'template.update_details', 'template', id, %s, 1, %s, %s)",
                _rows(),
            )
            connection.commit()
            copy_entries(cursor)
            connection.commit()
            cursor.execute("ANALYZE TABLE audit_logs")
        clock, recorder = dal.ManualClock(START + timedelta(seconds=N)), Recorder()
        configs = [
            accounts.config(role) for role in ("dal_application", "dal_sealer", "dal_retention")
        ]
        async with (
            dal.connect(clock=clock, on_statement=recorder, **options(configs[0])) as app,
            dal.connect(clock=clock, on_statement=recorder, **options(configs[1])) as sealer,
            dal.connect(clock=clock, on_statement=recorder, **options(configs[2])) as retention,
        ):
            job = dal.Actor.system("scale")
            yield Log(
                clock,
                recorder,
                app.acting_as(job),
                sealer.acting_as(job),
                retention.acting_as(job),
                admin,
            )
    finally:
        await asyncio.to_thread(server.stop)


def copy_entries(cursor: Any) -> None:
    """From a thousand rows a million, each a second after the one before."""
    columns = "actor_type, actor_id, action, target_type, target_id, outcome, affected, changes"
    for begin in range(_SEED, N, 100 * _SEED):
        cursor.execute(
            f"INSERT INTO audit_logs (id, occurred_at, {columns}, severity)"
            f" SELECT UNHEX(LPAD(HEX(CONV(HEX(a.id), 16, 10) + k.n * {_SEED}), 32, '0')),"
            f" a.occurred_at + INTERVAL (k.n * {_SEED}) SECOND, {columns}, a.severity"
            f" FROM audit_logs AS a CROSS JOIN ({_numbers(begin)}) AS k"
            " WHERE a.id < %s",
            (_SEED.to_bytes(16),),
        )


def _numbers(begin: int) -> str:
    first = begin // _SEED
    last = min(first + 100, N // _SEED)
    return "SELECT " + " UNION ALL SELECT ".join(f"{k} AS n" for k in range(first, last))


async def test_all_of_them_are_sealed(log: Log) -> None:
    done = await log.sealer.audit.seals.seal()
    assert (done.seals, done.entries) == (N // 1_000, N)


async def test_a_flipped_field_among_them_is_found(log: Log) -> None:
    with connect_blocking(log.admin) as connection, connection.cursor() as cursor:
        flip = "UPDATE audit_logs SET affected = %s WHERE id = %s"
        cursor.execute(flip, (2, (54_321).to_bytes(16)))
        connection.commit()
        found = (await log.sealer.audit.seals.verify()).broken
        assert found is not None
        assert found.kind is dal.BreakKind.CHANGED
        assert found.audit_id is not None
        assert (found.audit_id.int, found.seal_number) == (54_321, 55)
        cursor.execute(flip, (1, (54_321).to_bytes(16)))
        connection.commit()


async def test_the_oldest_are_removed_in_batches(log: Log) -> None:
    """What is kept longer stays; each batch is a seal."""
    log.clock.move(timedelta(days=365) - timedelta(seconds=N - 100_000))
    log.recorder.clear()
    done = await log.retention.audit.retention.retain()
    assert (done.purged, done.checkpoints) == (REMOVED, 100)
    assert log.recorder.names.count("audit_logs/delete_many") == 100


async def test_a_million_entries_are_verified_in_constant_memory(log: Log) -> None:
    sizes: list[int] = []

    def seen(n_seals: int) -> None:
        if n_seals % 10 == 0:
            sizes.append(resident_bytes())

    found = await log.sealer.audit.seals.verify(on_seals=seen)
    assert (found.is_ok, found.entries, found.purged) == (True, N - REMOVED, REMOVED)
    assert found.entries > 10**6
    assert len(sizes) == N // 10_000
    # A thousand entries at a time: what the first tenth took is enough for the rest. All of them
    # would be a thousand times as much.
    assert max(sizes) - max(sizes[:10]) < 8 * _MIB


async def test_a_sealer_at_the_end_of_a_million_looks_at_a_day(log: Log) -> None:
    """Not at the whole log: one page, empty."""
    log.recorder.clear()
    assert (await log.sealer.audit.seals.seal()).entries == 0
    assert log.recorder.names == ["audit_seals/find_last", "audit_logs/list_unsealed"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"outcome": "denied"},
        {"text": "no such text"},
        {"target_type": "template", "severity": "high", "text": "Template 9"},
    ],
    ids=str,
)
async def test_a_page_of_a_search_is_two_statements_however_many_there_are(
    log: Log, asked: dict[str, Any]
) -> None:
    log.recorder.clear()
    await log.app.audit.search(**asked)
    assert len(log.recorder.names) <= 2


async def test_a_large_export_is_the_same_twice(log: Log) -> None:
    sizes: list[int] = []
    until = START + timedelta(seconds=150_000)
    first = await log.app.audit.export.write(lambda data: sizes.append(len(data)), until_at=until)
    again = await log.app.audit.export.write(lambda data: None, until_at=until, format="jsonl")
    assert first == again
    assert first.count == 150_000 - REMOVED
    # A thousand at a time.
    assert max(sizes) < _MIB
