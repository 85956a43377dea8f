"""Transactions: all or nothing, repeated as a whole, told apart from their neighbours.

Traps of the driver that end here: A11, A13 (an old snapshot goes through the pool), A14 (a second
BEGIN commits the first), A15 (after a deadlock the client's flag is wrong), A16 (a lock timeout
undoes one statement), A17 (lost during COMMIT), A18 (two tasks on one connection).
"""

# ruff: noqa: PT012 - how a whole block ends is what is tested
from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import dal
from dal.config import Config
from tests.conftest import Recorder
from tests.faults.helpers import (
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


@pytest.fixture
async def own(config: Config, root: Root) -> AsyncIterator[dal.Database]:
    """A database of the test's own, with five rows whose n is 0; all is back at the end."""
    root.rows("INSERT INTO tests_rows (id, n) VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0)")
    async with database(config, pool_max=4) as db:
        yield db
        await all_back(db)


def numbers(root: Root) -> dict[int, int]:
    return dict(root.rows("SELECT id, n FROM tests_rows ORDER BY id"))


# ---------------------------------------------------------------------------------- what is seen


async def test_a_later_read_sees_what_others_committed(
    own: dal.Database, root: Root, sql: Sql
) -> None:
    me = system(own)
    for n in range(5):
        root.rows("UPDATE tests_rows SET n = %s WHERE id = 1", n)
        assert (await me.one(sql.rows_get, id=1)).n == n
    # Nothing that is idle holds a snapshot or a lock of the table: DDL goes through at once.
    root.rows("SET SESSION lock_wait_timeout = 1")
    root.rows("ALTER TABLE tests_rows COMMENT = 'not blocked'")


async def test_a_transaction_is_committed_or_undone(
    own: dal.Database, root: Root, sql: Sql
) -> None:
    me = system(own)
    async with me.begin() as tx:
        await tx.affected(sql.rows_set, id=1, n=1)
        assert tx.in_transaction
        assert not me.in_transaction
        assert numbers(root)[1] == 0
    assert numbers(root)[1] == 1
    with pytest.raises(ZeroDivisionError):
        async with me.begin() as tx:
            await tx.affected(sql.rows_set, id=1, n=2)
            raise ZeroDivisionError
    assert numbers(root)[1] == 1


async def test_isolation_is_of_one_transaction(own: dal.Database, root: Root, sql: Sql) -> None:
    me = system(own)
    for isolation, sees_the_change in (("REPEATABLE READ", False), (None, True)) * 2:
        n = numbers(root)[1]
        async with me.begin(isolation=isolation) as tx:  # type: ignore[arg-type]
            assert (await tx.one(sql.rows_get, id=1)).n == n
            root.rows("UPDATE tests_rows SET n = n + 1 WHERE id = 1")
            assert (await tx.one(sql.rows_get, id=1)).n == n + sees_the_change


async def test_an_isolation_that_there_is_not(own: dal.Database, sql: Sql) -> None:
    me = system(own)
    with pytest.raises(dal.UsageError, match="isolation"):
        async with me.begin(isolation="SNAPSHOT; DROP TABLE tests_rows"):  # type: ignore[arg-type]
            pass
    async with me.begin() as tx:
        with pytest.raises(dal.UsageError, match="isolation"):
            async with tx.begin(isolation="SERIALIZABLE"):
                pass
        assert await tx.value(sql.rows_count) == 5


async def test_a_level_that_was_set_and_not_used_is_reset(
    config: Config, root: Root, sql: Sql
) -> None:
    """SET TRANSACTION goes through, START does not: the next borrower must not inherit it."""
    root.rows("INSERT INTO tests_rows (id, n) VALUES (1, 0)")
    deadline = 0.0

    def use_up_the_time(name: str, *_: object) -> None:
        while name == "transaction/isolation" and asyncio.get_running_loop().time() < deadline:
            pass

    async with database(config, pool_max=1, on_statement=use_up_the_time) as db:
        me = system(db)
        connection_id = next(iter(db.pool._free)).connection_id
        deadline = asyncio.get_running_loop().time() + 0.6
        with pytest.raises(dal.StatementTimeoutError, match="not sent"):
            async with me.within(0.5).begin(isolation="REPEATABLE READ"):
                pytest.fail("began after its time")
        # ROLLBACK clears it too; neither server's manual promises that.
        assert db.pool._free[0].dirty
        async with me.begin() as tx:
            assert tx._tx is not None
            assert not tx._tx.connection.dirty
            assert tx._tx.connection.connection_id == connection_id
            assert (await tx.one(sql.rows_get, id=1)).n == 0
            root.rows("UPDATE tests_rows SET n = 1 WHERE id = 1")
            assert (await tx.one(sql.rows_get, id=1)).n == 1
        assert_all_back(db)


# ------------------------------------------------------------------------------------ savepoints


async def test_a_part_is_undone_alone(own: dal.Database, root: Root, sql: Sql) -> None:
    async with system(own).begin() as tx:
        await tx.affected(sql.rows_set, id=1, n=1)
        with pytest.raises(ZeroDivisionError):
            async with tx.begin() as part:
                await part.affected(sql.rows_set, id=2, n=2)
                async with part.begin() as deeper:
                    await deeper.affected(sql.rows_set, id=3, n=3)
                raise ZeroDivisionError
        async with tx.begin() as part:
            await part.affected(sql.rows_set, id=4, n=4)
        await tx.affected(sql.rows_set, id=5, n=5)
    assert numbers(root) == {1: 1, 2: 0, 3: 0, 4: 4, 5: 5}


async def test_a_name_of_a_savepoint_is_used_once(
    own: dal.Database, root: Root, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    from dal.session.connection import Connection

    real = Connection.run

    async def run(self: Connection, statement: bytes) -> Any:
        sent.append(statement.decode())
        return await real(self, statement)

    monkeypatch.setattr(Connection, "run", run)
    async with system(own).begin() as tx:
        for _ in range(3):
            async with tx.begin() as part, part.begin():
                pass
            with pytest.raises(ZeroDivisionError):
                async with tx.begin():
                    raise ZeroDivisionError
    names = [text.split()[-1] for text in sent if text.startswith("SAVEPOINT")]
    assert len(names) == len(set(names)) == 9


async def test_a_part_that_cannot_be_undone_is_not_committed(
    own: dal.Database, root: Root, sql: Sql
) -> None:
    with pytest.raises(dal.ServerError) as caught:  # 1305: no such savepoint
        async with system(own).begin() as tx:
            await tx.affected(sql.rows_set, id=1, n=1)
            with pytest.raises(dal.ServerError):
                async with tx.begin() as part:
                    await part.affected(sql.rows_set, id=2, n=2)
                    assert part._tx is not None
                    await part._tx.command("RELEASE SAVEPOINT sp_1", "of_the_test")
                    raise ZeroDivisionError
    assert caught.value.errno == 1305
    assert set(numbers(root).values()) == {0}


# -------------------------------------------------------------------------------- run it all again


async def deadlocked(
    own: dal.Database, sql: Sql, *, nested: bool, calls: list[int], ends: list[int]
) -> None:
    """A unit that meets a deadlock in its first attempt, and is its victim."""
    me = system(own)
    other_has_two = asyncio.Event()
    this_has_one = asyncio.Event()

    async def other() -> None:
        async with me.begin() as tx:
            # It has changed more, so the server makes the other one the victim.
            for row_id in (3, 4, 5):
                await tx.affected(sql.rows_add, id=row_id, n=1)
            await tx.affected(sql.rows_add, id=2, n=1)
            other_has_two.set()
            await this_has_one.wait()
            await tx.affected(sql.rows_add, id=1, n=1)

    async def unit(tx: dal.Session) -> None:
        calls.append(len(calls) + 1)
        attempt = len(calls)

        async def write(_: object) -> None:
            ends.append(attempt)

        tx.after_end(write)
        await tx.affected(sql.rows_add, id=1, n=10)
        this_has_one.set()
        await other_has_two.wait()
        if nested:
            async with tx.begin() as part:
                await part.affected(sql.rows_add, id=2, n=10)
        else:
            await tx.affected(sql.rows_add, id=2, n=10)

    async with asyncio.TaskGroup() as group:
        group.create_task(other())
        await other_has_two.wait()
        group.create_task(me.run(unit))


@pytest.mark.parametrize("nested", [True, False])
async def test_a_deadlock_repeats_the_whole(
    own: dal.Database, root: Root, sql: Sql, nested: bool
) -> None:
    calls: list[int] = []
    ends: list[int] = []
    await deadlocked(own, sql, nested=nested, calls=calls, ends=ends)
    assert calls == [1, 2]
    # Once, and of the attempt that counts.
    assert ends == [2]
    assert numbers(root) == {1: 11, 2: 11, 3: 1, 4: 1, 5: 1}


async def test_a_swallowed_deadlock_cannot_commit(own: dal.Database, root: Root, sql: Sql) -> None:
    me = system(own)
    other_has_two = asyncio.Event()
    this_has_one = asyncio.Event()

    async def other() -> None:
        async with me.begin() as tx:
            for row_id in (3, 4, 5, 2):
                await tx.affected(sql.rows_add, id=row_id, n=1)
            other_has_two.set()
            await this_has_one.wait()
            await tx.affected(sql.rows_add, id=1, n=1)

    async def careless() -> None:
        async with me.begin() as tx:
            await tx.affected(sql.rows_add, id=1, n=10)
            this_has_one.set()
            await other_has_two.wait()
            with pytest.raises(dal.DeadlockError):
                async with tx.begin() as part:
                    await part.affected(sql.rows_add, id=2, n=10)
            # The server has ended the transaction: this would be committed at once.
            with pytest.raises(dal.DeadlockError):
                await tx.affected(sql.rows_add, id=1, n=100)

    first = asyncio.create_task(other())
    await other_has_two.wait()
    with pytest.raises(dal.DeadlockError):
        await careless()
    await first
    assert numbers(root) == {1: 1, 2: 1, 3: 1, 4: 1, 5: 1}


@pytest.mark.parametrize("nested", [True, False])
async def test_a_lock_timeout_undoes_the_whole(
    config: Config, root: Root, sql: Sql, nested: bool
) -> None:
    root.rows("INSERT INTO tests_rows (id, n) VALUES (1, 0), (2, 0)")
    async with database(config, lock_wait_timeout_s=1) as db:
        me = system(db)

        async def unit(tx: dal.Session) -> None:
            await tx.affected(sql.rows_add, id=1, n=1)
            if nested:
                with pytest.raises(dal.LockTimeoutError):
                    async with tx.begin() as part:
                        await part.affected(sql.rows_add, id=2, n=1)
            else:
                with pytest.raises(dal.LockTimeoutError):
                    await tx.affected(sql.rows_add, id=2, n=1)
            # Caught, and the block ends as if all were well.

        root.rows("START TRANSACTION")
        root.rows("UPDATE tests_rows SET n = 5 WHERE id = 2")
        with pytest.raises(dal.LockTimeoutError) as caught:
            await me.run(unit, attempts=1)
        assert caught.value.errno == 1205
        assert caught.value.statement == "rows/add"
        root.rows("ROLLBACK")
        assert numbers(root) == {1: 0, 2: 0}
        await all_back(db)


async def test_the_last_attempts_error_is_the_callers(own: dal.Database, sql: Sql) -> None:
    calls: list[int] = []

    async def unit(tx: dal.Session, add: int) -> None:
        calls.append(add)
        raise dal.DeadlockError("always")

    with pytest.raises(dal.DeadlockError):
        await system(own).run(unit, 7, attempts=4)
    assert calls == [7, 7, 7, 7]
    with pytest.raises(dal.UsageError, match="attempts"):
        await system(own).run(unit, 7, attempts=0)


async def test_inside_a_transaction_nothing_is_repeated(own: dal.Database, sql: Sql) -> None:
    calls: list[int] = []

    async def unit(tx: dal.Session) -> None:
        calls.append(1)
        raise dal.LockTimeoutError("once")

    async with system(own).begin() as tx:
        with pytest.raises(dal.LockTimeoutError):
            await tx.run(unit)
    assert calls == [1]


async def test_an_error_that_is_not_transient_is_not_repeated(
    own: dal.Database, root: Root, sql: Sql
) -> None:
    calls: list[int] = []

    async def unit(tx: dal.Session) -> None:
        calls.append(1)
        await tx.affected(sql.rows_set, id=1, n=1)
        await tx.affected(sql.rows_insert, id=1, n=1, note=None)

    with pytest.raises(dal.UniqueError):
        await system(own).run(unit)
    assert calls == [1]
    assert numbers(root)[1] == 0


# ------------------------------------------------------------------------- one task, one connection


async def test_no_second_connection_while_a_transaction_is_open(
    own: dal.Database, root: Root, sql: Sql
) -> None:
    me = system(own)
    async with me.begin() as tx:
        for wrong in (
            me.value(sql.rows_count),
            me.users.count(),
            system(own).value(sql.rows_count),
            me.run(_nothing),
        ):
            with pytest.raises(dal.UsageError, match="begin"):
                await wrong
        with pytest.raises(dal.UsageError, match="begin"):
            async with me.begin():
                pass
        await tx.affected(sql.rows_set, id=1, n=1)
    assert numbers(root)[1] == 1
    assert await me.value(sql.rows_count) == 5


async def _nothing(_: dal.Session) -> None:
    return None


async def test_two_tasks_on_one_transaction(own: dal.Database, root: Root, sql: Sql) -> None:
    async with system(own).begin() as tx:
        await tx.affected(sql.rows_set, id=1, n=1)
        outcomes = await asyncio.gather(
            *(tx.one(sql.rows_get, id=i) for i in (1, 2, 3)), return_exceptions=True
        )
        assert outcomes[0] == Row(1, 1, None)
        for outcome in outcomes[1:]:
            assert isinstance(outcome, dal.UsageError)
        # The connection is as it was.
        assert await tx.one(sql.rows_get, id=2) == Row(2, 0, None)
    assert numbers(root)[1] == 1


async def test_a_block_that_ends_while_its_child_task_works(
    own: dal.Database, root: Root, sql: Sql
) -> None:
    child: asyncio.Task[int] | None = None
    with pytest.raises(dal.UsageError, match="two tasks"):
        async with system(own).begin() as tx:
            await tx.affected(sql.rows_set, id=1, n=1)
            child = asyncio.create_task(tx.value(sql.rows_endless, id=1))
            await until(lambda: bool(root.running("dal:rows/endless")), "the child's statement")
    assert child is not None
    with pytest.raises(dal.ConnectionLostError):
        await child
    await until(lambda: not root.running("dal:rows/endless"), "its end")
    assert numbers(root)[1] == 0


async def test_a_session_of_a_transaction_that_has_ended(own: dal.Database, sql: Sql) -> None:
    async with system(own).begin() as tx:
        pass
    with pytest.raises(dal.UsageError, match="has ended"):
        await tx.value(sql.rows_count)
    with pytest.raises(dal.UsageError, match="has ended"):
        async with tx.begin():
            pass


async def test_rows_are_locked_in_a_transaction_alone(own: dal.Database, sql: Sql) -> None:
    with pytest.raises(dal.UsageError, match="locks rows"):
        await system(own).find(sql.rows_lock, id=1)
    async with system(own).begin() as tx:
        assert await tx.find(sql.rows_lock, id=1) == Row(1, 0, None)


async def test_a_block_that_another_task_closes(own: dal.Database, root: Root, sql: Sql) -> None:
    """As a fixture of a test runner does: entered here, left there."""
    me = system(own)
    block = me.begin()
    tx = await block.__aenter__()
    await tx.affected(sql.rows_set, id=1, n=1)
    with pytest.raises(dal.UsageError, match="begin"):
        await me.value(sql.rows_count)

    async def leave() -> None:
        await block.__aexit__(None, None, None)

    await asyncio.create_task(leave())
    assert numbers(root)[1] == 1
    assert await me.value(sql.rows_count) == 5
    assert_all_back(own)


async def test_a_block_that_nobody_leaves(own: dal.Database, root: Root, sql: Sql) -> None:
    """A generator with a block in it is dropped half-way: the loop ends it."""
    me = system(own)

    async def rows() -> AsyncIterator[int]:
        async with me.begin() as tx:
            await tx.affected(sql.rows_set, id=1, n=1)
            yield 1
            yield 2

    async def first() -> int:
        async for n in rows():
            return n
        return 0

    assert await asyncio.create_task(first()) == 1
    await until(lambda: not own.pool._used, "the connection back")
    assert numbers(root)[1] == 0
    assert await me.value(sql.rows_count) == 5


async def test_a_block_that_cannot_begin_leaves_the_task_free(
    config: Config, root: Root, sql: Sql
) -> None:
    async with database(config, pool_max=1, acquire_timeout_s=0.05) as db:
        me = system(db)
        held = await db.pool.borrow()
        with pytest.raises(dal.PoolTimeoutError):
            async with me.begin():
                pytest.fail("began without a connection")
        db.pool.release(held)
        assert await me.value(sql.rows_count) == 0
        assert not me._core.open_by_task
        assert_all_back(db)


# ------------------------------------------------------------------------------- after the end


@pytest.mark.parametrize("how", ["committed", "rolled back", "cancelled", "lost", "out of time"])
async def test_what_is_written_after_the_end_survives_it(
    config: Config, root: Root, sql: Sql, how: str
) -> None:
    # A pool of one: nothing may wait for a second connection.
    async with database(config, pool_max=1) as db:
        me = system(db)
        inside = asyncio.Event()
        tx_session = me

        async def write(ended: Any) -> None:
            await tx_session.on(ended).affected(sql.rows_insert, id=100, n=1, note=how)

        async def unit() -> None:
            nonlocal tx_session
            session = me.within(0.2) if how == "out of time" else me
            async with session.begin() as tx:
                tx_session = tx
                tx.after_end(write)
                await tx.affected(sql.rows_insert, id=1, n=1, note=None)
                inside.set()
                if how == "rolled back":
                    raise ZeroDivisionError
                if how in ("cancelled", "out of time"):
                    await tx.value(sql.rows_endless, id=1)
                if how == "lost":
                    assert tx._tx is not None
                    root.rows(f"KILL {tx._tx.connection.connection_id}")
                    await tx.value(sql.rows_count)

        task = asyncio.create_task(unit())
        await inside.wait()
        if how == "cancelled":
            await until(lambda: bool(root.running("dal:rows/endless")), "the statement")
            task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        wanted = {
            "committed": type(None),
            "rolled back": ZeroDivisionError,
            "cancelled": asyncio.CancelledError,
            "lost": dal.ConnectionLostError,
            "out of time": dal.StatementTimeoutError,
        }
        assert isinstance(outcome, wanted[how]), outcome
        kept = [1, 100] if how == "committed" else [100]
        assert [row[0] for row in root.rows("SELECT id FROM tests_rows ORDER BY id")] == kept
        await all_back(db)


async def test_what_cannot_be_written_after_the_end_is_told_and_nothing_else(
    own: dal.Database, root: Root, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    me = system(own)

    async def refused(ended: Any) -> None:
        await me.on(ended).affected(sql.rows_insert, id=1, n=1, note=None)

    async def wrong(_: object) -> None:
        raise ValueError("with a value in it")

    async def fine(ended: Any) -> None:
        await me.on(ended).affected(sql.rows_insert, id=100, n=1, note=None)

    with caplog.at_level(logging.DEBUG, "dal"):
        async with me.begin() as tx:
            for write in (refused, wrong, fine):
                tx.after_end(write)
            await tx.affected(sql.rows_set, id=1, n=1)
    # It was committed, so the caller is not told otherwise; one lost entry loses no other.
    assert numbers(root) == {1: 1, 2: 0, 3: 0, 4: 0, 5: 0, 100: 1}
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 2
    assert "PRIMARY" in told[0]
    assert "ValueError" in told[1]
    assert "with a value in it" not in caplog.text


async def test_after_end_belongs_to_a_transaction(own: dal.Database) -> None:
    with pytest.raises(dal.UsageError, match="after_end"):
        system(own).after_end(_nothing)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------ lost on the way


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_lost_during_commit(
    config: Config, root: Root, sql: Sql, tmp_path: Path, cut: Cut
) -> None:
    assert config.unix_socket is not None
    proxy = Proxy(tmp_path / "proxy.sock", config.unix_socket)
    calls: list[int] = []

    async def unit(tx: dal.Session) -> None:
        calls.append(1)
        await tx.affected(sql.rows_insert, id=1, n=1, note=None)

    async with proxy.listening(), database(config, unix_socket=str(proxy.path)) as db:
        proxy.decide = lambda data: cut if b"\x03COMMIT" in data else Cut.PASS
        with pytest.raises(dal.OutcomeUnknownError) as caught:
            await system(db).run(unit)
        assert not isinstance(caught.value, dal.TransientError)
        assert caught.value.statement == "transaction/commit"
        assert calls == [1]
        proxy.decide = lambda _: Cut.PASS
        # Both happen, which is why it is unknown; the caller looks by id.
        found = await system(db).find(sql.rows_find, id=1)
        assert (found is not None) == (cut is Cut.AFTER)
        await all_back(db)


async def test_lost_before_commit_is_repeated(
    config: Config, root: Root, sql: Sql, tmp_path: Path
) -> None:
    """The server hung up before COMMIT was sent: nothing was committed, and that is known."""
    async with database(config) as db:
        calls: list[int] = []

        async def unit(tx: dal.Session) -> None:
            calls.append(1)
            await tx.affected(sql.rows_insert, id=1, n=1, note=None)
            if len(calls) == 1:
                assert tx._tx is not None
                connection = tx._tx.connection
                root.rows(f"KILL {connection.connection_id}")
                await until(lambda: connection.gone, "the end of the connection")

        await system(db).run(unit)
        assert calls == [1, 1]
        assert numbers(root) == {1: 1}
        await all_back(db)


@pytest.mark.parametrize("statement", ["START TRANSACTION", "dal:rows/insert", "SAVEPOINT"])
async def test_lost_in_a_transaction_is_repeated(
    config: Config, root: Root, sql: Sql, tmp_path: Path, statement: str
) -> None:
    assert config.unix_socket is not None
    proxy = Proxy(tmp_path / "proxy.sock", config.unix_socket)
    n_cut = 0

    def cut_once(data: bytes) -> Cut:
        nonlocal n_cut
        if statement.encode() in data and not n_cut:
            n_cut += 1
            return Cut.AFTER
        return Cut.PASS

    async def unit(tx: dal.Session) -> None:
        async with tx.begin() as part:
            await part.affected(sql.rows_insert, id=1, n=1, note=None)

    async with proxy.listening(), database(config, unix_socket=str(proxy.path)) as db:
        proxy.decide = cut_once
        await system(db).run(unit)
        assert n_cut == 1
        assert numbers(root) == {1: 1}
        await all_back(db)


async def test_a_lost_read_is_repeated_and_a_lost_write_is_not(
    config: Config, root: Root, sql: Sql, tmp_path: Path
) -> None:
    assert config.unix_socket is not None
    proxy = Proxy(tmp_path / "proxy.sock", config.unix_socket)
    seen: list[str] = []

    def cut_first(data: bytes) -> Cut:
        for name in ("rows/count", "rows/insert"):
            if name.encode() in data:
                seen.append(name)
                return Cut.AFTER if seen.count(name) == 1 else Cut.PASS
        return Cut.PASS

    recorder = Recorder()
    async with (
        proxy.listening(),
        database(config, unix_socket=str(proxy.path), on_statement=recorder) as db,
    ):
        proxy.decide = cut_first
        assert await system(db).value(sql.rows_count) == 0
        assert recorder.attempts == [1, 2]
        with pytest.raises(dal.OutcomeUnknownError) as caught:
            await system(db).affected(sql.rows_insert, id=1, n=1, note=None)
        assert caught.value.statement == "rows/insert"
        assert caught.value.errno == 2013
        assert seen == ["rows/count", "rows/count", "rows/insert"]
        assert numbers(root) == {1: 1}
        await all_back(db)


async def test_a_write_lost_in_its_last_attempt_is_of_unknown_outcome(
    config: Config, root: Root, sql: Sql, tmp_path: Path
) -> None:
    """Lock timeouts first, the link last: that nothing was changed would be a lie."""
    assert config.unix_socket is not None
    root.rows("INSERT INTO tests_rows (id, n) VALUES (1, 0)")
    proxy = Proxy(tmp_path / "proxy.sock", config.unix_socket)
    n_sent = 0

    def cut_third(data: bytes) -> Cut:
        nonlocal n_sent
        n_sent += b"dal:rows/set" in data
        if n_sent < 3:
            return Cut.PASS
        if n_sent == 3 and b"dal:rows/set" in data:
            root.rows("ROLLBACK")
        return Cut.AFTER

    async with (
        proxy.listening(),
        database(config, unix_socket=str(proxy.path), lock_wait_timeout_s=1) as db,
    ):
        proxy.decide = cut_third
        root.rows("START TRANSACTION")
        root.rows("UPDATE tests_rows SET n = 5 WHERE id = 1")
        with pytest.raises(dal.OutcomeUnknownError):
            await system(db).affected(sql.rows_set, id=1, n=1)
        proxy.decide = lambda _: Cut.PASS
        assert numbers(root) == {1: 1}
        await all_back(db)
