"""Deadlines reach the server, and what is over its time is gone from it (traps A9, A10)."""

# ruff: noqa: PT012 - how a whole block ends is what is tested
from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import dal
from dal.config import Config
from tests.conftest import Recorder
from tests.faults.helpers import (
    Cut,
    Proxy,
    Root,
    Sql,
    all_back,
    assert_all_back,
    database,
    system,
    until,
)


@pytest.mark.parametrize("by", ["within", "statement_timeout_s", "both"])
async def test_over_its_time(config: Config, root: Root, sql: Sql, by: str) -> None:
    limit = {"within": 30.0, "statement_timeout_s": 0.1, "both": 0.1}[by]
    async with database(config, statement_timeout_s=limit) as db:
        me = system(db) if by == "statement_timeout_s" else system(db).within(
            0.1 if by == "within" else 20.0
        )  # fmt: skip
        with pytest.raises(dal.StatementTimeoutError) as caught:
            await me.value(sql.rows_endless, id=1)
        assert caught.value.statement == "rows/endless"
        await until(lambda: not root.running("dal:rows/endless"), "its end")
        await all_back(db)


@pytest.mark.parametrize("swallowed", [True, False])
async def test_a_transaction_over_its_time(
    config: Config, root: Root, sql: Sql, swallowed: bool
) -> None:
    async with database(config, pool_max=1, statement_timeout_s=0.1) as db:
        me = system(db)
        connection_id = 0
        with pytest.raises(dal.StatementTimeoutError):
            async with me.begin() as tx:
                assert tx._tx is not None
                connection_id = tx._tx.connection.connection_id
                await tx.affected(sql.rows_insert, id=1, n=1, note=None)
                try:
                    await tx.value(sql.rows_endless, id=1)
                except dal.StatementTimeoutError:
                    if not swallowed:
                        raise
                # Dead: nothing more runs in it, and what ran is not committed.
                with pytest.raises(dal.StatementTimeoutError):
                    await tx.value(sql.rows_count)
        await all_back(db)
        assert await me.value(sql.rows_count) == 0
        ids = [row[0] for row in root.rows("SHOW FULL PROCESSLIST")]
        await until(
            lambda: connection_id not in [row[0] for row in root.rows("SHOW FULL PROCESSLIST")],
            f"the end of connection {connection_id} among {ids}",
        )


async def test_a_lock_wait_over_its_time(config: Config, root: Root, sql: Sql) -> None:
    root.rows("INSERT INTO tests_rows (id, n) VALUES (1, 0)")
    root.rows("START TRANSACTION")
    root.rows("UPDATE tests_rows SET n = 1 WHERE id = 1")
    async with database(config) as db:
        # It was sent and would have been committed by itself: the client cannot know.
        with pytest.raises(dal.OutcomeUnknownError) as caught:
            await system(db).within(0.1).affected(sql.rows_set, id=1, n=2)
        assert isinstance(caught.value.__cause__, dal.StatementTimeoutError)
        await until(lambda: not root.running("dal:rows/set"), "its end")
        root.rows("COMMIT")
        await all_back(db)
    # It was stopped, so it did not change the row when the lock was free.
    assert root.value("SELECT n FROM tests_rows") == 1


async def test_a_deadline_is_of_all_that_is_done(config: Config, root: Root, sql: Sql) -> None:
    recorder = Recorder()
    async with database(config, on_statement=recorder) as db:
        me = system(db).within(60.0)
        assert me.within(120.0)._deadline == me._deadline
        shorter = me.within(0.05)
        await until(_passed(shorter._deadline), "the end of the time")
        recorder.clear()
        with pytest.raises(dal.StatementTimeoutError, match="not sent") as caught:
            await shorter.value(sql.rows_count)
        assert caught.value.statement == "rows/count"
        with pytest.raises(dal.StatementTimeoutError, match="not sent"):
            async with shorter.begin():
                pytest.fail("began after its time")
        assert await me.value(sql.rows_count) == 0
        assert_all_back(db)


def _passed(deadline: float | None) -> Callable[[], bool]:
    assert deadline is not None
    loop = asyncio.get_running_loop()
    return lambda: loop.time() > deadline


async def test_a_deadline_is_a_time_to_come(config: Config) -> None:
    async with database(config) as db:
        for seconds in (0, -1, -0.5):
            with pytest.raises(dal.UsageError, match="within"):
                system(db).within(seconds)


async def test_a_deadline_goes_into_the_transaction(config: Config, root: Root, sql: Sql) -> None:
    async with database(config) as db:
        with pytest.raises(dal.StatementTimeoutError):
            async with system(db).within(0.1).begin() as tx, tx.begin() as part:
                await part.value(sql.rows_endless, id=1)
        with pytest.raises(dal.StatementTimeoutError):
            async with system(db).begin() as tx:
                await tx.within(0.1).value(sql.rows_endless, id=1)
        await until(lambda: not root.running("dal:rows/endless"), "its end")
        await all_back(db)


async def test_a_link_that_says_nothing_more(
    config: Config, root: Root, sql: Sql, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Half open: no end, no error, no answer. Every wait is bounded, also the one at the end."""
    assert config.unix_socket is not None
    path = tmp_path_factory.mktemp("proxy") / "proxy.sock"
    proxy = Proxy(path, config.unix_socket)
    async with (
        proxy.listening(),
        database(
            config, unix_socket=str(path), statement_timeout_s=0.1, connect_timeout_s=1.0
        ) as db,
    ):
        me = system(db)
        proxy.decide = lambda data: Cut.HOLD if b"dal:rows/count" in data else Cut.PASS
        with pytest.raises(dal.StatementTimeoutError):
            await me.value(sql.rows_count)
        proxy.decide = lambda data: Cut.HOLD if b"\x03COMMIT" in data else Cut.PASS
        with pytest.raises(dal.OutcomeUnknownError):
            async with me.begin() as tx:
                await tx.affected(sql.rows_insert, id=1, n=1, note=None)
        proxy.decide = lambda data: Cut.HOLD if b"\x03ROLLBACK" in data else Cut.PASS
        with pytest.raises(ZeroDivisionError):
            async with me.begin() as tx:
                await tx.affected(sql.rows_insert, id=2, n=2, note=None)
                raise ZeroDivisionError
        proxy.decide = lambda _: Cut.PASS
        # Both were ended on the server, from the connection that kills: no lock is left.
        await all_back(db)
        assert await me.affected(sql.rows_insert, id=1, n=1, note=None) == 1
        assert await me.affected(sql.rows_insert, id=2, n=2, note=None) == 1
