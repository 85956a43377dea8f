"""A server that is killed and comes back: reads go on, transactions are repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

import dal
from dal.config import Config, parse
from dal.server import Engine, PrivateServer, temporary
from tests.faults.conftest import make_tables
from tests.faults.helpers import Sql, all_back, database, root_of, system, until


@pytest.fixture(scope="module")
def own_server(engine: Engine) -> Iterator[tuple[PrivateServer, Config]]:
    with temporary(engine) as server:
        admin = parse(server.admin_url("mysql"))
        assert isinstance(admin, Config)
        with root_of(admin) as root:
            root.rows("CREATE DATABASE tests_restart")
            root.rows("USE tests_restart")
            root.rows("CREATE USER tests_restart@localhost IDENTIFIED BY 'pw'")
            make_tables(root, "tests_restart")
        yield (
            server,
            Config(
                user="tests_restart",
                password="pw",
                database="tests_restart",
                unix_socket=str(server.socket),
            ),
        )


async def test_a_restart_between_two_calls(
    own_server: tuple[PrivateServer, Config], sql: Sql
) -> None:
    server, config = own_server
    async with (
        database(config, pool_max=3, pool_min=3) as first,
        database(config) as second,
        database(config) as third,
    ):

        async def unit(tx: dal.Session) -> None:
            await tx.affected(sql.rows_insert, id=1, n=1, note=None)

        assert await system(first).value(sql.rows_count) == 0
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)
        # Each of the three is dead, and nobody has looked yet.
        reads = (system(first).value(sql.rows_count) for _ in range(6))
        assert await asyncio.gather(*reads) == [0] * 6
        await system(second).run(unit)
        assert await system(third).affected(sql.rows_delete, id=1) == 1
        for db in (first, second, third):
            await all_back(db)


async def test_killed_in_the_middle(own_server: tuple[PrivateServer, Config], sql: Sql) -> None:
    server, config = own_server
    calls: list[int] = []
    async with database(config, pool_max=3, connect_timeout_s=5.0) as db:
        me = system(db)

        async def unit(tx: dal.Session) -> None:
            calls.append(1)
            await tx.affected(sql.rows_insert, id=1, n=1, note=None)
            if len(calls) == 1:
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.restart)
            await tx.affected(sql.rows_insert, id=2, n=2, note=None)

        await me.run(unit)
        assert calls == [1, 1]
        assert await me.value(sql.rows_count) == 2
        await all_back(db)


async def test_while_it_is_down(own_server: tuple[PrivateServer, Config], sql: Sql) -> None:
    server, config = own_server
    async with database(config, pool_max=2, connect_timeout_s=5.0) as db:
        me = system(db)
        running = asyncio.create_task(me.value(sql.rows_endless, id=1))
        connection = next(iter(db.pool._used), None)
        while connection is None or not connection.busy:
            await asyncio.sleep(0)
            connection = next(iter(db.pool._used), None)
        await asyncio.to_thread(server.kill)
        # Nothing was sent, and the callers learn it at once: no wait for the pool's time-out.
        with pytest.raises(dal.UnavailableError):
            await running
        for _ in range(5):
            with pytest.raises(dal.ConnectError):
                await me.value(sql.rows_count)
            with pytest.raises(dal.ConnectError):
                async with me.begin():
                    pytest.fail("began without a server")
        await all_back(db)
        await asyncio.to_thread(server.restart)
        assert await me.value(sql.rows_count) >= 0
        # Cancelled while the server is away: nobody to kill it, and the place is free again.
        running = asyncio.create_task(me.value(sql.rows_endless, id=2))
        await until(lambda: any(c.busy for c in db.pool._used), "the statement")
        running.cancel()
        await asyncio.to_thread(server.kill)
        await asyncio.gather(running, return_exceptions=True)
        await all_back(db)
        await asyncio.to_thread(server.restart)
        assert await me.value(sql.rows_count) >= 0
        await all_back(db)
