"""What the driver leaves open and is closed here, as far as no other file of this folder shows it.

A1 the pin and the self-test: here. A5 no second statement: test_values. A20 server cursors: there
are none; ``stream`` pages by key (test_bulk). A26 TLS: test_tls. A27 settings: test_leaks. A29
warnings: here. A30, A31, A32 pool: test_pool. A33 files and procedures: here. A34 duplicate
columns: here. A35 echo: here, and test_secrets.
"""

from __future__ import annotations

import importlib.metadata
import logging
import warnings
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import aiomysql
import pymysql
import pytest
from pymysql.connections import MysqlPacket

import dal
from dal.config import Config
from dal.session.connection import Connection
from tests.conftest import Recorder
from tests.faults.helpers import Cut, Proxy, Root, Sql, borrowed, database, statement, system


def test_the_driver_is_pinned_to_what_works() -> None:
    setup = ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    required = {
        line.split()[0]: line.partition(" ")[2]
        for line in setup["options"]["install_requires"].splitlines()
        if line and not line.startswith("#")
    }
    assert required["PyMySQL"] == ">= 1.1.3, < 1.2.1"
    assert required["aiomysql"] == ">= 0.3.2"
    version = tuple(map(int, importlib.metadata.version("PyMySQL").split(".")[:3]))
    assert (1, 1, 3) <= version < (1, 2, 1)


@pytest.mark.parametrize("broken", ["bytes", "text"])
async def test_a_driver_that_changes_values_is_found_out(
    config: Config, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    real = Connection.run

    async def run(self: Connection, sql: bytes) -> Any:
        if sql.startswith(b"SELECT X'"):
            # As an escaping that the server reads otherwise, or a wrong character set, would.
            sql = (
                sql.replace(b"5c", b"5d", 1)
                if broken == "bytes"
                else sql.replace(b"\xc3\xa9", b"e")
            )
        return await real(self, sql)

    monkeypatch.setattr(Connection, "run", run)
    with pytest.raises(dal.ConnectError, match="driver mismatch"):
        async with database(config):
            pass


async def test_warnings_cost_no_round_trip_and_do_not_raise(
    config: Config, root: Root, sql: Sql, tmp_path: Path
) -> None:
    assert config.unix_socket is not None
    sent: list[bytes] = []

    def keep(data: bytes) -> Cut:
        sent.append(data)
        return Cut.PASS

    proxy = Proxy(tmp_path / "proxy.sock", config.unix_socket, keep)
    async with (
        proxy.listening(),
        database(config, unix_socket=str(proxy.path), pool_max=1) as db,
    ):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            sent.clear()
            assert await system(db).value(sql.rows_warning) == 1
            assert len(sent) == 1
        assert seen == []
        async with borrowed(db) as connection:
            assert (await connection.run(b"SELECT 1 / 0")).warnings == 1


async def test_the_client_sends_no_file(config: Config, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("1")
    async with database(config) as db, borrowed(db) as connection:
        assert not connection._local_infile
        assert not connection.client_flag & pymysql.constants.CLIENT.LOCAL_FILES
        load = f"LOAD DATA LOCAL INFILE '{secret}' INTO TABLE users (id)"
        with pytest.raises(dal.ServerError):
            await connection.run(load.encode())
        connection.dirty = True


def test_nothing_here_uses_a_cursor_of_the_driver() -> None:
    """Escaping, executemany, callproc, echo and SHOW WARNINGS all live in its cursors."""
    for file in (Path(dal.__file__).parent / "session").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        for word in (".cursor(", "callproc", "executemany", "echo=True", ".escape("):
            assert word not in text, f"{word} in {file.name}"


async def test_columns_that_do_not_fit(
    config: Config, root: Root, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import attrs

    @attrs.frozen(slots=True)
    class Pair:
        n: int
        m: int

    folder = tmp_path_factory.mktemp("pairs")
    for name, columns in {
        "twice": "1 AS n, 2 AS n",
        "swapped": "1 AS m, 2 AS n",
        "more": "1 AS n, 2 AS m, 3 AS o",
        "fewer": "1 AS n",
        "null": "1 AS n, NULL AS m",
        "text": "1 AS n, 'x' AS m",
        "fits": "1 AS n, 2 AS m",
    }.items():
        statement(folder, f"pairs/{name}", "one Pair", {}, f"SELECT {columns}")
    statement(
        folder, "pairs/two_rows", "one Pair", {}, "SELECT n, n AS m FROM tests_hundred ORDER BY n"
    )
    pairs = dal.sql_folder(folder)
    async with database(config) as db:
        assert await system(db).one(pairs.one("pairs/fits", Pair)) == Pair(1, 2)
        for name in ("twice", "swapped", "more", "fewer", "null", "text", "two_rows"):
            with pytest.raises(dal.RowShapeError) as caught:
                await system(db).one(pairs.one(f"pairs/{name}", Pair))
            assert caught.value.statement == f"pairs/{name}"


async def test_the_hook(config: Config, root: Root, sql: Sql) -> None:
    calls: list[tuple[object, ...]] = []

    def hook(*told: object) -> None:
        calls.append(told)

    async with database(config, on_statement=hook) as db:
        me = system(db)
        async with me.begin() as tx:
            await tx.affected(sql.rows_insert, id=1, n=1, note=None)
            with pytest.raises(dal.UniqueError) as caught:
                await tx.affected(sql.rows_insert, id=1, n=1, note=None)
        await me.many(sql.rows_page, after_id=0, limit_rows=5)
    assert [call[0] for call in calls] == [
        "transaction/start", "rows/insert", "rows/insert", "transaction/commit", "rows/page",
    ]  # fmt: skip
    assert {call[1] for call in calls} == {db.engine}
    assert all(isinstance(call[2], float) and call[2] > 0 for call in calls)
    assert [call[3] for call in calls] == [0, 1, 0, 0, 1]
    assert {call[4] for call in calls} == {1}
    assert [call[5] for call in calls] == [None, None, caught.value, None, None]


async def test_a_hook_that_raises_changes_nothing(
    config: Config, root: Root, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    def hook(*_: object) -> None:
        raise ValueError("of the hook")

    with caplog.at_level(logging.ERROR, "dal"):
        async with database(config, on_statement=hook) as db:
            me = system(db)
            async with me.begin() as tx:
                await tx.affected(sql.rows_insert, id=1, n=1, note=None)
            assert await me.value(sql.rows_count) == 1
            with pytest.raises(dal.UniqueError):
                await me.affected(sql.rows_insert, id=1, n=1, note=None)
    assert len([r for r in caplog.records if "on_statement" in r.getMessage()]) == 5


async def test_a_sequence_that_is_wrong_ends_the_connection(
    config: Config, root: Root, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap A19: a reader that is out of step never gets another statement."""
    async with database(config, pool_max=1) as db:
        async with borrowed(db) as connection:
            first = connection
        real = aiomysql.Connection._read_packet
        n_read = 0

        async def once(self: Connection, packet_type: type = MysqlPacket) -> Any:
            nonlocal n_read
            n_read += 1
            if n_read == 1:
                self._next_seq_id = 77
            return await real(self, packet_type)

        monkeypatch.setattr(aiomysql.Connection, "_read_packet", once)
        recorder = Recorder()
        db._core.on_statement = recorder
        assert await system(db).value(sql.rows_count) == 0
        assert recorder.attempts == [1, 2]
        assert first.closed


async def test_what_nobody_asked_for_ends_the_connection(config: Config, root: Root) -> None:
    """An answer that lies there before a statement is sent would be taken for that statement's."""
    async with database(config, pool_max=1) as db:
        async with borrowed(db) as connection:
            first = connection
        first._reader.feed_data(b"\x07\0\0\1\0\0\0\2\0\0\0")
        async with borrowed(db) as connection:
            assert connection is not first
            assert (await connection.run(b"SELECT 7")).rows == (("7",),)
