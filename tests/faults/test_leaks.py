"""Nothing of a session goes to the next borrower (trap A12).

Our own statements cannot change a session: the loader refuses what could. What can is raw SQL on a
borrowed connection, which marks it ``dirty``, and a transaction that did not get to its start;
both are reset before the next use.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import dal
from dal.config import Config
from dal.settings import session_settings
from tests.faults.helpers import Root, Sql, assert_all_back, borrowed, database, system, until

SETTINGS = (
    "@@sql_mode, @@time_zone, @@autocommit, @@collation_connection, @@character_set_client, "
    "@@character_set_connection, @@character_set_results, @@innodb_lock_wait_timeout, "
)


def settings(db: dal.Database) -> bytes:
    mariadb = db.engine == "mariadb"
    more = "@@max_statement_time, @@tx_isolation" if mariadb else (
        "@@max_execution_time, @@transaction_isolation"
    )  # fmt: skip
    return f"SELECT {SETTINGS}{more}".encode()


async def test_a_new_session_is_as_ours_must_be(config: Config) -> None:
    """Trap A27: the handshake knows one collation, and the server's globals are anybody's."""
    async with database(config, statement_timeout_s=20.0) as db, borrowed(db) as connection:
        (row,) = (await connection.run(settings(db))).rows
        assert set(str(row[0]).split(",")) >= {
            "ONLY_FULL_GROUP_BY", "STRICT_TRANS_TABLES", "NO_ZERO_IN_DATE", "NO_ZERO_DATE",
            "ERROR_FOR_DIVISION_BY_ZERO", "NO_ENGINE_SUBSTITUTION",
        }  # fmt: skip
        limit = "23.000000" if db.engine == "mariadb" else "23000"
        assert row[1:] == (
            "+00:00", "1", "utf8mb4_unicode_520_ci", "utf8mb4", "utf8mb4", "utf8mb4", "10", limit,
            "READ-COMMITTED",
        )  # fmt: skip


async def test_the_servers_globals_are_not_ours(config: Config, root: Root) -> None:
    saved = root.rows(
        "SELECT @@global.sql_mode, @@global.time_zone, @@global.character_set_client,"
        " @@global.collation_connection, @@global.autocommit"
    )[0]
    root.rows(
        "SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES', GLOBAL time_zone = '+07:00',"
        " GLOBAL character_set_client = 'latin1', GLOBAL collation_connection = 'latin1_bin',"
        " GLOBAL autocommit = 0"
    )
    try:
        async with database(config) as db, borrowed(db) as connection:
            (before,) = (await connection.run(settings(db))).rows
            assert before[1:5] == ("+00:00", "1", "utf8mb4_unicode_520_ci", "utf8mb4")
            assert "NO_BACKSLASH_ESCAPES" not in str(before[0])
            await connection.reset()
            assert (await connection.run(settings(db))).rows == (before,)
            text = "SELECT '\\'é\U0001f600'".encode()
            assert (await connection.run(text)).rows == (("'é\U0001f600",),)
    finally:
        root.rows(
            "SET GLOBAL sql_mode = %s, GLOBAL time_zone = %s, GLOBAL character_set_client = %s,"
            " GLOBAL collation_connection = %s, GLOBAL autocommit = %s",
            *saved,
        )


async def test_a_dirty_session_is_made_new(config: Config, root: Root) -> None:
    root.rows(f"GRANT CREATE TEMPORARY TABLES ON dal.* TO '{config.user}'@'localhost'")
    try:
        async with database(config, pool_max=1) as db:
            async with borrowed(db) as connection:
                first = connection.connection_id
                (before,) = (await connection.run(settings(db))).rows
                level = "tx_isolation" if db.engine == "mariadb" else "transaction_isolation"
                for statement in (
                    "SET @x = 'left behind'",
                    f"SET SESSION {level} = 'SERIALIZABLE', sql_mode = '', time_zone = '+03:00'",
                    "SET NAMES latin1",
                    "SET innodb_lock_wait_timeout = 1",
                    "SELECT GET_LOCK('tests_leak', 0)",
                    "CREATE TEMPORARY TABLE tests_left (n INT)",
                    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                    "SET autocommit = 0",
                ):
                    await connection.run(statement.encode())
                assert root.value("SELECT IS_USED_LOCK('tests_leak')") == first
                connection.dirty = True
            async with borrowed(db) as connection:
                # The same link, and a session like a new one.
                assert connection.connection_id == first
                assert not connection.dirty
                assert (await connection.run(b"SELECT @x")).rows == ((None,),)
                assert (await connection.run(settings(db))).rows == (before,)
                assert root.value("SELECT IS_FREE_LOCK('tests_leak')") == 1
                with pytest.raises(dal.DalError) as caught:
                    await connection.run(b"SELECT n FROM tests_left")
                assert caught.value.errno in (1142, 1146)
            assert_all_back(db)
    finally:
        root.rows(f"REVOKE CREATE TEMPORARY TABLES ON dal.* FROM '{config.user}'@'localhost'")


async def test_an_open_transaction_goes_to_nobody(config: Config, root: Root, sql: Sql) -> None:
    async with database(config, pool_max=1) as db:
        async with borrowed(db) as connection:
            first = connection.connection_id
            await connection.run(b"START TRANSACTION")
            await connection.run(b"INSERT INTO tests_rows (id, n) VALUES (1, 1)")
        assert await system(db).value(sql.rows_count) == 0
        async with borrowed(db) as connection:
            assert connection.connection_id != first
        assert_all_back(db)


async def test_after_an_error_the_session_is_as_before(
    config: Config, root: Root, sql: Sql
) -> None:
    """An error of a statement changes no session: the connection is used again as it is."""
    async with database(config, pool_max=1) as db:
        me = system(db)
        async with borrowed(db) as connection:
            first = connection.connection_id
            before = (await connection.run(settings(db))).rows
        await me.affected(sql.rows_insert, id=1, n=1, note=None)
        for _ in range(3):
            with pytest.raises(dal.UniqueError):
                await me.affected(sql.rows_insert, id=1, n=1, note=None)
            with pytest.raises(dal.UniqueError):
                async with me.begin(isolation="SERIALIZABLE") as tx:
                    await tx.affected(sql.rows_insert, id=1, n=1, note=None)
        async with borrowed(db) as connection:
            assert connection.connection_id == first
            assert (await connection.run(settings(db))).rows == before
            assert not connection.in_transaction
        assert_all_back(db)


async def test_after_a_cancellation_the_connection_is_another(
    config: Config, root: Root, sql: Sql
) -> None:
    async with database(config, pool_max=1) as db:
        me = system(db)
        async with borrowed(db) as connection:
            first = connection.connection_id
        task = asyncio.create_task(me.value(sql.rows_endless, id=1))
        await until(lambda: bool(root.running("dal:rows/endless")), "the statement")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with borrowed(db) as connection:
            assert connection.connection_id != first


async def test_no_backslash_escapes_is_refused(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap A4: in that mode a backslash before a quote is text, and the quote ends the literal."""

    def without_backslashes(*args: Any, **kwargs: Any) -> str:
        return f"{session_settings(*args, **kwargs)}, sql_mode = 'NO_BACKSLASH_ESCAPES'"

    monkeypatch.setattr("dal.session.connection.session_settings", without_backslashes)
    with pytest.raises(dal.ConnectError, match="NO_BACKSLASH_ESCAPES"):
        async with database(config):
            pass
