"""The pool: everybody is served, in order, in bounded time, and nothing is lost.

Traps of the driver that end here: A6 (waiters never woken), A7 (no limit on the wait, a lock held
while connecting), A8 (a silent server), A30 (idle is not age, a ping that reconnects), A31
(terminate leaves connections open), A32 (another event loop).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

import dal
from dal.config import Config
from dal.session.connection import Connection
from tests.faults.helpers import (
    Root,
    Sql,
    all_back,
    assert_all_back,
    borrowed,
    database,
    system,
    until,
)


async def waiting(db: dal.Database, n: int) -> None:
    await until(lambda: db.pool.n_waiting == n, f"{n} who wait")


@pytest.mark.parametrize("how", ["in a transaction", "closed", "abandoned", "busy", "clean"])
async def test_who_waits_is_served_whatever_comes_back(
    config: Config, root: Root, sql: Sql, how: str
) -> None:
    async with database(config, pool_max=1) as db:
        connection = await db.pool.borrow()
        waiter = asyncio.create_task(db.pool.borrow())
        await waiting(db, 1)
        other: asyncio.Task[object] | None = None
        match how:
            case "in a transaction":
                await connection.run(b"START TRANSACTION")
                assert connection.in_transaction
            case "closed":
                connection.close()
            case "abandoned":
                connection.abandon()
            case "busy":
                other = asyncio.create_task(connection.run(b"SELECT COUNT(*) FROM tests_rows"))
                await until(lambda: connection.busy, "the statement of the other task")
        db.pool.release(connection)
        got = await waiter
        assert (got is connection) == (how == "clean")
        assert (await got.run(b"SELECT 1")).rows == (("1",),)
        assert not got.in_transaction
        db.pool.release(got)
        if other is not None:
            with pytest.raises(dal.ConnectionLostError):
                await other
        await all_back(db)
    assert db.pool.size == 0


async def test_a_cancelled_statement_makes_way_for_who_waits(
    config: Config, root: Root, sql: Sql
) -> None:
    async with database(config, pool_max=1) as db:
        me = system(db)
        running = asyncio.create_task(me.value(sql.rows_endless, id=1))
        await until(lambda: bool(root.running("dal:rows/endless")), "the endless statement")
        waiter = asyncio.create_task(me.value(sql.rows_count))
        await waiting(db, 1)
        running.cancel()
        assert await waiter == 0
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: not root.running("dal:rows/endless"), "its end")
        await all_back(db)


async def test_first_come_first_served(config: Config, root: Root) -> None:
    async with database(config, pool_max=2) as db:
        held = [await db.pool.borrow() for _ in range(2)]
        served: list[int] = []

        async def one(i: int) -> None:
            async with borrowed(db) as connection:
                served.append(i)
                await connection.run(b"SELECT 1")

        tasks = []
        for i in range(20):
            tasks.append(asyncio.create_task(one(i)))
            await waiting(db, i + 1)
        # One of those in the middle gives up.
        tasks[7].cancel()
        for connection in held:
            db.pool.release(connection)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert served == [i for i in range(20) if i != 7]
        assert_all_back(db)


async def test_who_finds_a_dead_connection_keeps_the_place_in_the_queue(
    config: Config, root: Root
) -> None:
    async with database(config, pool_max=1) as db:
        held = await db.pool.borrow()
        served: list[int] = []

        async def one(i: int) -> None:
            async with borrowed(db) as connection:
                served.append(i)
                await connection.run(b"SELECT 1")

        tasks = []
        for i in range(5):
            tasks.append(asyncio.create_task(one(i)))
            await waiting(db, i + 1)
        root.rows(f"KILL {held.connection_id}")
        await until(lambda: held.gone, "the end of the killed connection")
        db.pool.release(held)
        await asyncio.gather(*tasks)
        assert served == [0, 1, 2, 3, 4]
        assert_all_back(db)


async def test_the_wait_is_bounded(config: Config) -> None:
    async with database(config, pool_max=1, acquire_timeout_s=0.05) as db:
        async with borrowed(db):
            # As another task: this one holds a connection, but not by begin().
            with pytest.raises(dal.PoolTimeoutError, match=r"0\.05 s .*pool_max=1") as caught:
                await system(db).users.count()
            assert isinstance(caught.value, dal.UnavailableError)
            with pytest.raises(dal.PoolTimeoutError):
                await system(db).within(0.01).users.count()
        assert await system(db).users.count() >= 0
        assert_all_back(db)


async def test_a_connection_given_back_twice_is_not_somebody_elses(config: Config) -> None:
    async with database(config, pool_max=1) as db:
        connection = await db.pool.borrow()
        db.pool.release(connection)
        db.pool.release(connection)
        assert_all_back(db)
        assert db.pool.freesize == 1


async def test_a_server_that_never_greets(config: Config, tmp_path: Path) -> None:
    links: list[asyncio.StreamWriter] = []
    listener = await asyncio.start_unix_server(
        lambda _, writer: links.append(writer), str(tmp_path / "silent.sock")
    )
    try:
        with pytest.raises(dal.ConnectError, match=r"no answer within 0\.1 s"):
            async with database(
                config, unix_socket=str(tmp_path / "silent.sock"), connect_timeout_s=0.1
            ):
                pass
        assert len(links) == 1
    finally:
        for writer in links:
            writer.close()
        listener.close()
        await listener.wait_closed()


async def test_an_answer_in_another_protocol(config: Config, tmp_path: Path) -> None:
    async def http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_unix_server(http, str(tmp_path / "http.sock"))
    try:
        with pytest.raises(dal.ConnectError):
            async with database(
                config, unix_socket=str(tmp_path / "http.sock"), connect_timeout_s=5.0
            ):
                pass
    finally:
        listener.close()
        await listener.wait_closed()


async def test_nobody_there(config: Config, tmp_path: Path) -> None:
    with pytest.raises(dal.ConnectError, match="No such file") as caught:
        async with database(config, unix_socket=str(tmp_path / "nobody.sock")):
            pass
    assert caught.value.errno is None


async def test_a_slow_connect_keeps_nobody_from_a_free_connection(
    config: Config, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database(config, pool_max=2, pool_min=1) as db:
        pool = db.pool
        held = await pool.borrow()
        may_go_on = asyncio.Event()
        real = pool._connect

        async def slow() -> Connection:
            await may_go_on.wait()
            return await real()

        monkeypatch.setattr(pool, "_connect", slow)
        connecting = asyncio.create_task(pool.borrow())
        await until(lambda: pool._acquiring == 1, "a connect under way")
        pool.release(held)
        assert await system(db).users.count() >= 0
        may_go_on.set()
        pool.release(await connecting)
        assert_all_back(db)


async def test_a_connect_that_fails_gives_its_place_to_the_next(
    config: Config, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database(config, pool_max=1) as db:
        pool = db.pool
        held = await pool.borrow()
        held.close()
        tasks = [asyncio.create_task(pool.borrow()) for _ in range(3)]
        await waiting(db, 3)
        real = pool._connect
        n_refused = 0

        async def refused_at_first() -> Connection:
            nonlocal n_refused
            if n_refused < 2:
                n_refused += 1
                raise dal.ConnectError("not now")
            return await real()

        monkeypatch.setattr(pool, "_connect", refused_at_first)
        pool.release(held)
        first, second, third = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(first, dal.ConnectError)
        assert isinstance(second, dal.ConnectError)
        assert isinstance(third, Connection)
        pool.release(third)
        assert_all_back(db)


async def test_an_old_connection_is_replaced(config: Config) -> None:
    async with database(config, pool_max=1, max_lifetime_s=3600.0) as db:
        async with borrowed(db) as connection:
            first = connection.connection_id
        async with borrowed(db) as connection:
            assert connection.connection_id == first
            connection.opened_at -= 3601
        async with borrowed(db) as connection:
            assert connection.connection_id != first
        assert_all_back(db)


def pings(root: Root) -> int:
    """How many pings, among a few others, the server has answered."""
    return int(root.rows("SHOW GLOBAL STATUS LIKE 'Com_admin_commands'")[0][1])


async def test_an_idle_connection_is_asked_first(config: Config, root: Root) -> None:
    async with database(config, pool_max=1, max_idle_s=60.0) as db:
        async with borrowed(db) as connection:
            first = connection.connection_id
        before = pings(root)
        connection.idle_since -= 61
        async with borrowed(db) as connection:
            assert connection.connection_id == first
        after = pings(root)
        assert after > before


async def test_one_that_does_not_answer_a_ping_is_replaced(config: Config, tmp_path: Path) -> None:
    from tests.faults.helpers import Cut, Proxy

    assert config.unix_socket is not None
    proxy = Proxy(tmp_path / "proxy.sock", config.unix_socket)
    async with (
        proxy.listening(),
        database(
            config,
            unix_socket=str(proxy.path),
            pool_max=1,
            max_idle_s=0.0,
            connect_timeout_s=0.3,
        ) as db,
    ):
        # The link is silent from now on: no end, no error. The ping alone finds out.
        n_held = 0

        def hold(_: bytes) -> Cut:
            nonlocal n_held
            # The first is that of the connection that kills.
            if proxy.n_links == 2:
                n_held += 1
                return Cut.HOLD
            return Cut.PASS

        proxy.decide = hold
        assert await system(db).users.count() >= 0
        assert n_held == 1
        assert proxy.n_links == 3
        assert_all_back(db)


@pytest.mark.parametrize("dirty", [False, True])
async def test_a_killed_idle_connection_is_never_handed_out(
    config: Config, root: Root, sql: Sql, dirty: bool
) -> None:
    async with database(config, pool_max=3) as db:
        held = [await db.pool.borrow() for _ in range(3)]
        for connection in held:
            connection.dirty = dirty
            db.pool.release(connection)
        for connection in held:
            root.rows(f"KILL {connection.connection_id}")
        assert await system(db).value(sql.rows_count) == 0
        # A write is not repeated, so it must not meet a dead connection at all.
        await until(lambda: all(c.gone or c.closed for c in held), "the ends of the others")
        assert await system(db).affected(sql.rows_insert, id=1, n=1, note=None) == 1
        assert_all_back(db)


async def test_where_one_was_lost_the_others_are_asked(config: Config, root: Root) -> None:
    async with database(config, pool_max=2) as db:
        first, second = [await db.pool.borrow() for _ in range(2)]
        db.pool.release(second)
        idle_since = second.idle_since
        first.close()
        db.pool.release(first)
        assert second.idle_since < idle_since
        async with borrowed(db) as connection:
            assert connection is second
        assert second.idle_since >= idle_since


async def test_another_event_loop_is_refused(config: Config, sql: Sql, root: Root) -> None:
    async with database(config) as db:

        async def elsewhere() -> None:
            with pytest.raises(dal.UsageError, match="event loop"):
                await system(db).value(sql.rows_count)
            with pytest.raises(dal.UsageError, match="event loop"):
                async with system(db).begin():
                    pass

        await asyncio.to_thread(asyncio.run, elsewhere())
        assert await system(db).value(sql.rows_count) == 0
        assert_all_back(db)


async def test_a_closed_database(config: Config, sql: Sql) -> None:
    async with database(config) as db:
        pass
    for _ in range(2):
        with pytest.raises(dal.UnavailableError, match="closed"):
            await system(db).value(sql.rows_count)
        with pytest.raises(dal.UnavailableError, match="closed"):
            async with system(db).begin():
                pass
    await db.pool.shut()
    assert db.pool.size == 0


async def test_closing_waits_for_who_is_at_work_and_turns_away_who_waits(
    config: Config, root: Root, sql: Sql
) -> None:
    async with database(config, pool_max=1) as db:
        me = system(db)
        inside = asyncio.Event()
        closing = asyncio.Event()

        async def work() -> None:
            async with me.begin() as tx:
                await tx.affected(sql.rows_insert, id=1, n=1, note=None)
                inside.set()
                await closing.wait()
                await tx.affected(sql.rows_insert, id=2, n=2, note=None)

        worker = asyncio.create_task(work())
        await inside.wait()
        turned_away = asyncio.create_task(me.value(sql.rows_count))
        await waiting(db, 1)
        end = asyncio.create_task(db.pool.shut())
        await until(lambda: turned_away.done(), "the answer to who waited")
        assert isinstance(turned_away.exception(), dal.UnavailableError)
        assert not end.done()
        closing.set()
        await worker
        await end
    assert root.value("SELECT COUNT(*) FROM tests_rows") == 2
    assert db.pool.size == 0


async def test_closing_while_a_connection_is_being_made(
    config: Config, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database(config, pool_min=0, pool_max=2) as db:
        held = await db.pool.borrow()
        may_go_on = asyncio.Event()
        real = db.pool._connect
        made: list[Connection] = []

        async def slow() -> Connection:
            made.append(await real())
            await may_go_on.wait()
            return made[0]

        monkeypatch.setattr(db.pool, "_connect", slow)
        late = asyncio.create_task(db.pool.borrow())
        await until(lambda: bool(made), "the connection")
        db.pool.release(held)
        end = asyncio.create_task(db.pool.shut())
        await until(lambda: db.pool.freesize == 0, "the free one closed")
        assert not end.done()
        may_go_on.set()
        with pytest.raises(dal.UnavailableError):
            await late
        await end
        assert made[0].closed
    assert db.pool.size == 0


async def test_closing_does_not_wait_for_ever(
    config: Config, root: Root, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dal.session.pool._CLOSE_TIMEOUT_S", 0.05)
    async with database(config) as db:
        endless = asyncio.create_task(system(db).value(sql.rows_endless, id=2))
        await until(lambda: bool(root.running("dal:rows/endless")), "the endless statement")
    with pytest.raises(dal.UnavailableError):
        await endless
    assert db.pool.size == 0
    await until(lambda: root.running("dal:") == [], "a quiet server")


async def test_a_cancelled_close_leaves_nothing_open(config: Config, root: Root, sql: Sql) -> None:
    async with database(config) as db:
        held = await db.pool.borrow()
        end = asyncio.create_task(db.pool.shut())
        await until(lambda: db.pool._closing, "the close")
        for _ in range(5):
            await asyncio.sleep(0)
        assert not end.done()
        end.cancel()
        with pytest.raises(asyncio.CancelledError):
            await end
        assert held.closed
        assert db.pool.size == 0


async def test_the_drivers_own_names_for_closing_do_not_hang(config: Config) -> None:
    async with database(config, pool_max=2) as db:
        held, free = [await db.pool.borrow() for _ in range(2)]
        db.pool.release(free)
        db.pool.terminate()
        assert held.closed
        assert free.closed
        await db.pool.wait_closed()
        db.pool.release(held)
        assert db.pool.closed
        assert db.pool.size == 0


async def test_the_connection_that_kills_is_made_again(
    config: Config, root: Root, sql: Sql
) -> None:
    async with database(config, pool_max=2) as db:
        me = system(db)
        killers = set()
        for i in range(3):
            running = asyncio.create_task(me.value(sql.rows_endless, id=i))
            await until(lambda: bool(root.running("dal:rows/endless")), "the endless statement")
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await until(lambda: not root.running("dal:rows/endless"), "its end")
            await all_back(db)
            killer = db.pool._killer
            assert killer is not None
            killers.add(killer.connection_id)
            if i == 1:
                root.rows(f"KILL {killer.connection_id}")
        assert len(killers) == 2


async def test_no_connection_is_left_on_the_server(config: Config, root: Root, sql: Sql) -> None:
    before = root.connections(config.user)
    async with database(config, pool_max=5, pool_min=3) as db:
        # And the one that kills what is cancelled.
        assert root.connections(config.user) == before + 3 + 1
        await asyncio.gather(*(system(db).value(sql.rows_count) for _ in range(20)))
        assert root.connections(config.user) <= before + 5 + 1
    await until(lambda: root.connections(config.user) == before, "the ends of all connections")


@contextmanager
def at_most(root: Root, config: Config, connections: int) -> Iterator[Config]:
    """An account of the test's own that may have so many connections."""
    root.rows(
        "CREATE USER tests_limited@localhost IDENTIFIED BY 'few'"
        f" WITH MAX_USER_CONNECTIONS {connections:d}"
    )
    try:
        for table in ("tests_rows", "tests_hundred"):
            root.rows(f"GRANT SELECT ON {table} TO tests_limited@localhost")
        yield attrs.evolve(config, user="tests_limited", password="few")
    finally:
        root.rows("DROP USER tests_limited@localhost")


@pytest.mark.parametrize("allowed", [1, 2, 4])
async def test_an_account_at_its_limit_waits(
    config: Config, root: Root, sql: Sql, allowed: int
) -> None:
    with at_most(root, config, allowed) as few:
        async with database(few, pool_max=4, pool_min=0, acquire_timeout_s=60) as db:
            counts = await asyncio.gather(*(_counted(db, sql) for _ in range(40)))
            assert counts == [0] * 40
            assert 0 < db.pool.size <= allowed


async def test_an_account_at_its_limit_says_so_in_the_end(
    config: Config, root: Root, sql: Sql
) -> None:
    with at_most(root, config, 2) as few:
        async with database(few, pool_max=4, acquire_timeout_s=0.3) as db, system(db).begin():
            other = asyncio.create_task(_counted(db, sql))
            with pytest.raises(dal.PoolTimeoutError, match="refused the connection"):
                await other


async def _counted(db: dal.Database, sql: Sql) -> int:
    return await system(db).value(sql.rows_count)


async def test_what_was_cancelled_ends_where_the_account_may_have_no_more(
    config: Config, root: Root, sql: Sql
) -> None:
    with at_most(root, config, 3) as few:
        async with database(few, pool_max=3, acquire_timeout_s=60) as db:
            me = system(db)
            running = [asyncio.create_task(me.value(sql.rows_endless, id=i)) for i in range(3)]
            await until(lambda: len(root.running("dal:rows/endless")) == 2, "two of them")
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            assert await me.value(sql.rows_count) == 0
            await until(lambda: not root.running("dal:rows/endless"), "their ends")
