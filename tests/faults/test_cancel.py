"""Cancelled at any moment: the server stops, the pool's books are right, the next caller is served.

Traps of the driver that end here: A10 (the server keeps running what was cancelled), A18 (one
connection, two tasks), A19 (a connection whose protocol state nobody knows goes back).
"""

# ruff: noqa: PT012 - how a whole block ends is what is tested
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

import pytest

import dal
from dal.config import Config
from dal.session.transaction import uninterrupted
from tests.faults.helpers import (
    CancelAt,
    Cut,
    Proxy,
    Root,
    Row,
    Sql,
    all_back,
    assert_all_back,
    database,
    system,
    until,
)

How = Literal["early", "late", "twice"]
MOST_AWAITS = 200


async def test_a_cancelled_join_ends_on_the_server(config: Config, root: Root, sql: Sql) -> None:
    async with database(config) as db:
        task = asyncio.create_task(system(db).value(sql.rows_endless, id=1))
        await until(lambda: bool(root.running("dal:rows/endless")), "the statement")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not root.running("dal:rows/endless"), "its end")
        await all_back(db)


async def test_a_cancelled_lock_wait_ends_on_the_server(
    config: Config, root: Root, sql: Sql
) -> None:
    root.rows("INSERT INTO tests_rows VALUES (1, 0, NULL)")
    async with database(config) as db:
        me = system(db)
        async with me.begin() as holder:
            await holder.affected(sql.rows_set, id=1, n=1)

            async def wait_for_it() -> None:
                async with me.begin() as tx:
                    await tx.affected(sql.rows_set, id=1, n=2)

            task = asyncio.create_task(wait_for_it())
            await until(lambda: bool(root.running("dal:rows/set")), "the lock wait")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: not root.running("dal:rows/set"), "its end")
        await all_back(db)
    assert root.value("SELECT n FROM tests_rows") == 1


async def test_a_statement_that_an_inner_timeout_stopped_ends_on_the_server(
    config: Config, root: Root, sql: Sql
) -> None:
    async with database(config) as db:
        # The caller catches the time-out and goes on: what is lost by now is the transaction.
        with pytest.raises(dal.ConnectionLostError):
            async with system(db).begin() as tx:
                await tx.affected(sql.rows_insert, id=1, n=1, note=None)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(None) as limit:
                        task = asyncio.create_task(_expire_when_running(root, limit))
                        await tx.value(sql.rows_endless, id=1)
                await task
                await tx.value(sql.rows_count)
        await until(lambda: not root.running("dal:rows/endless"), "its end")
        await all_back(db)
    assert root.value("SELECT COUNT(*) FROM tests_rows") == 0


async def _expire_when_running(root: Root, limit: asyncio.Timeout) -> None:
    await until(lambda: bool(root.running("dal:rows/endless")), "the statement")
    limit.reschedule(asyncio.get_running_loop().time())


async def test_a_whole_run_inside_a_timeout(config: Config, root: Root, sql: Sql) -> None:
    async with database(config) as db:

        async def work(tx: dal.Session) -> None:
            await tx.affected(sql.rows_insert, id=1, n=1, note=None)
            await tx.value(sql.rows_endless, id=1)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as limit:
                task = asyncio.create_task(_expire_when_running(root, limit))
                await system(db).run(work)
        await task
        # The time-out took the cancellation back: this task goes on undisturbed.
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0
        await until(lambda: not root.running("dal:rows/endless"), "its end")
        assert await system(db).value(sql.rows_count) == 0
        await all_back(db)


# ------------------------------------------------------------------ cancelled at the k-th await

Prepare = Callable[[dal.Database], Awaitable[None]]


async def cold(db: dal.Database) -> None:
    """No connection is open."""
    while db.pool._free:
        db.pool._free.pop().close()


async def warm(db: dal.Database) -> None:
    """Connections are open and clean."""
    await system(db).users.count()


async def dirty(db: dal.Database) -> None:
    """What is open must be reset before use."""
    await warm(db)
    for connection in db.pool._free:
        connection.dirty = True


async def idle(db: dal.Database) -> None:
    """What is open must be asked whether it is alive."""
    await warm(db)
    for connection in db.pool._free:
        connection.idle_since = float("-inf")


async def dead(db: dal.Database) -> None:
    """What is open is dead, which nobody has noticed."""
    await idle(db)
    for connection in db.pool._free:
        connection._writer.transport.abort()


async def cancelled_at_each(
    db: dal.Database,
    how: How,
    prepare: Prepare,
    make: Callable[[], Coroutine[Any, Any, Any]],
    check: Callable[[bool], Awaitable[None]],
) -> None:
    """Run ``make()`` cancelled at its first await, at its second ... until there is no such one."""
    for k in range(1, MOST_AWAITS):
        await prepare(db)
        at = CancelAt(make(), k, how)

        async def awaiting(at: CancelAt[Any] = at) -> Any:
            return await at

        task = asyncio.create_task(awaiting())
        outcome: Any = (await asyncio.gather(task, return_exceptions=True))[0]
        await all_back(db)
        await check(not isinstance(outcome, BaseException))
        if not at.reached:
            assert not isinstance(outcome, BaseException), outcome
            assert k > 1
            return
        assert isinstance(outcome, asyncio.CancelledError) or not isinstance(
            outcome, BaseException
        ), outcome
    pytest.fail("there is no end to the awaits")


@pytest.mark.parametrize("how", ["early", "late", "twice"])
@pytest.mark.parametrize("prepare", [cold, warm, dirty, idle, dead])
async def test_a_read_cancelled_at_each_await(
    config: Config, root: Root, sql: Sql, how: How, prepare: Prepare
) -> None:
    root.rows("INSERT INTO tests_rows VALUES (1, 10, NULL), (2, 20, NULL)")
    async with database(config, pool_min=0, pool_max=1) as db:
        me = system(db)

        async def check(_: bool) -> None:
            assert await me.one(sql.rows_get, id=2) == Row(2, 20, None)

        await cancelled_at_each(db, how, prepare, lambda: me.one(sql.rows_get, id=1), check)
        await until(lambda: not root.running("dal:rows/get"), "the ends of the statements")


@pytest.mark.parametrize("how", ["early", "late", "twice"])
@pytest.mark.parametrize("prepare", [cold, warm])
async def test_a_transaction_cancelled_at_each_await(
    config: Config, root: Root, sql: Sql, how: How, prepare: Prepare
) -> None:
    async with database(config, pool_min=0, pool_max=1) as db:
        me = system(db)

        async def work() -> None:
            async with me.begin(isolation="REPEATABLE READ") as tx:
                await tx.affected(sql.rows_insert, id=1, n=1, note=None)
                async with tx.begin() as inner:
                    await inner.affected(sql.rows_insert, id=2, n=2, note=None)
                with pytest.raises(dal.UniqueError):
                    async with tx.begin() as inner:
                        await inner.affected(sql.rows_insert, id=3, n=3, note=None)
                        await inner.affected(sql.rows_insert, id=1, n=1, note=None)

        async def check(finished: bool) -> None:
            # All of it or nothing; and all of it where the caller was told so.
            assert await me.value(sql.rows_count) in ((2,) if finished else (0, 2))
            # KILL is answered before what it kills has ended.
            await until(lambda: not root.running("dal:"), "a quiet server")
            async with me.begin() as tx:
                for row_id in (1, 2):
                    await tx.affected(sql.rows_delete, id=row_id)

        await cancelled_at_each(db, how, prepare, work, check)


@pytest.mark.parametrize("how", ["early", "late", "twice"])
async def test_what_follows_a_transaction_cancelled_at_each_await(
    config: Config, root: Root, sql: Sql, how: How
) -> None:
    async with database(config, pool_min=0, pool_max=1) as db:
        me = system(db)
        began = False

        async def work() -> None:
            nonlocal began
            began = False
            async with me.begin() as tx:
                tx.after_end(write)
                began = True
                await tx.affected(sql.rows_insert, id=1, n=1, note=None)
                raise ZeroDivisionError

        async def write(ended: Any) -> None:
            await me.on(ended).affected(sql.rows_insert, id=2, n=2, note=None)

        async def all_of_it() -> None:
            with pytest.raises(ZeroDivisionError):
                await work()

        async def check(_: bool) -> None:
            assert (await me.find(sql.rows_find, id=1)) is None
            assert (await me.find(sql.rows_find, id=2) is not None) == began
            await me.affected(sql.rows_delete, id=2)

        await cancelled_at_each(db, how, warm, all_of_it, check)


@pytest.mark.parametrize("how", ["early", "late", "twice"])
@pytest.mark.parametrize("comes_back", ["clean", "closed", "abandoned"])
async def test_who_waits_cancelled_at_each_await(
    config: Config, root: Root, sql: Sql, how: How, comes_back: str
) -> None:
    """The one behind them is served, though they were served and cancelled at once."""
    root.rows("INSERT INTO tests_rows VALUES (1, 10, NULL), (2, 20, NULL)")
    async with database(config, pool_min=0, pool_max=1) as db:
        me = system(db)
        for k in range(1, MOST_AWAITS):
            held = await db.pool.borrow()
            at = CancelAt(me.one(sql.rows_get, id=1), k, how)

            async def awaiting(at: CancelAt[Any] = at) -> Any:
                return await at

            first = asyncio.create_task(awaiting())
            await until(lambda t=first: db.pool.n_waiting == 1 or t.done(), "the first")  # type: ignore[misc]
            behind = asyncio.create_task(me.one(sql.rows_get, id=2))
            await until(lambda: db.pool.n_waiting >= 1, "the one behind")
            if comes_back == "closed":
                held.close()
            elif comes_back == "abandoned":
                held.abandon()
            db.pool.release(held)
            assert await behind == Row(2, 20, None)
            await asyncio.gather(first, return_exceptions=True)
            await all_back(db)
            if not at.reached:
                assert first.result() == Row(1, 10, None)
                return
            assert first.cancelled() or first.exception() is None
    pytest.fail("there is no end to the awaits")


@pytest.mark.parametrize("how", ["early", "late"])
async def test_opening_cancelled_at_each_await(config: Config, root: Root, how: How) -> None:
    before = root.connections(config.user)
    for k in range(1, MOST_AWAITS):

        async def opened_and_closed() -> None:
            async with database(config, pool_min=2, pool_max=2):
                pass

        at = CancelAt(opened_and_closed(), k, how)

        async def awaiting(at: CancelAt[None] = at) -> None:
            await at

        task = asyncio.create_task(awaiting())
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert outcome is None or isinstance(outcome, asyncio.CancelledError), outcome
        if not at.reached:
            break
    else:
        pytest.fail("there is no end to the awaits")
    await until(lambda: root.connections(config.user) == before, "the ends of all connections")


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
async def test_an_end_that_was_begun_is_finished(
    config: Config, root: Root, sql: Sql, tmp_path: Path, end: str
) -> None:
    """Cancelled while the server commits: it is told the outcome, and the connection is kept."""
    assert config.unix_socket is not None
    tasks: list[asyncio.Task[None]] = []

    def cancel_at_the_end(data: bytes) -> Cut:
        if b"\x03" + end.encode() in data:
            tasks[0].cancel()
        return Cut.PASS

    proxy = Proxy(tmp_path / "proxy.sock", config.unix_socket, cancel_at_the_end)
    async with (
        proxy.listening(),
        database(config, unix_socket=str(proxy.path), pool_max=1) as db,
    ):
        connection_id = db.pool._free[0].connection_id

        async def work() -> None:
            async with system(db).begin() as tx:
                await tx.affected(sql.rows_insert, id=1, n=1, note=None)
                if end == "ROLLBACK":
                    raise ZeroDivisionError

        tasks.append(asyncio.create_task(work()))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert root.value("SELECT COUNT(*) FROM tests_rows") == (end == "COMMIT")
        assert_all_back(db)
        assert db.pool._free[0].connection_id == connection_id


# -------------------------------------------------------------------------------- uninterrupted


async def test_uninterrupted_finishes_however_often_it_is_cancelled() -> None:
    done = []
    go_on = asyncio.Event()

    async def work() -> str:
        await go_on.wait()
        done.append(True)
        return "result"

    task = asyncio.create_task(uninterrupted(work()))
    for _ in range(5):
        await asyncio.sleep(0)
        task.cancel()
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [True]


async def test_uninterrupted_gives_result_and_error() -> None:
    async def result() -> str:
        return "result"

    async def error() -> str:
        raise ZeroDivisionError

    assert await uninterrupted(result()) == "result"
    with pytest.raises(ZeroDivisionError):
        await uninterrupted(error())


async def test_a_task_that_is_cancelled_before_it_starts(config: Config, sql: Sql) -> None:
    async with database(config) as db:
        task = asyncio.create_task(system(db).value(sql.rows_count))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert_all_back(db)
