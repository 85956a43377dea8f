"""A bad row for each leaf of the error tree, on both servers; no message holds a row's value."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import dal
from dal.config import Config
from dal.session.connection import Connection
from tests.faults.helpers import (
    Cut,
    Proxy,
    Root,
    Sql,
    all_back,
    borrowed,
    database,
    statement,
    system,
    until,
)

# Each has a piece in it that nothing else has.
ODD = [
    "o'zq7xk",
    'say "zq7xk"',
    "back\\zq7xk",
    "x' for key 'zq7xk",
    "x' for key 'zq7xk' for key 'zq7xk",
    "`zq7xk` at row 1",
    "column 'zq7xk' at row 1",
    "zq7xk' for column `zq7xk` at row 1",
    "CONSTRAINT `zq7xk` FOREIGN KEY",
    "Check constraint 'zq7xk' is violated.",
    "value for column 'zq7xk.zq7xk'.",
    "%s zq7xk %d {0}",
    "zq7xk\nzq7xk",
    "zq7xk\U0001f600" * 10,
    "zq7xk" * 16,
]


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> dal.SqlFolder:
    folder = tmp_path_factory.mktemp("bad")
    insert = "INSERT INTO tests_children (id, parent_id, label, n, must, doc, at)\n"
    params = {
        "id": "INT",
        "parent_id": "INT NULL",
        "label": "LONGTEXT",
        "n": "BIGINT",
        "doc": "LONGTEXT NULL",
        "at": "LONGTEXT NULL",
    }
    statement(
        folder, "children/insert", "affected", params,
        insert + "VALUES (:id, :parent_id, :label, :n, 'x', :doc, :at)",
    )  # fmt: skip
    statement(
        folder, "children/insert_without_must", "affected", {"id": "INT"},
        "INSERT INTO tests_children (id, parent_id, label) VALUES (:id, 1, 'without')",
    )  # fmt: skip
    statement(
        folder, "children/set_number", "affected", {"id": "INT", "text": "LONGTEXT"},
        "UPDATE tests_children SET n = :text WHERE id = :id",
    )  # fmt: skip
    statement(
        folder, "children/at", "value int", {"text": "LONGTEXT"},
        "SELECT COUNT(*) AS n FROM tests_children WHERE at = :text",
    )  # fmt: skip
    statement(
        folder, "parents/delete", "affected", {"id": "INT"},
        "DELETE FROM tests_parents WHERE id = :id",
    )  # fmt: skip
    statement(folder, "secrets/read", "value int", {}, "SELECT s.n AS n FROM tests_secrets AS s")
    statement(folder, "nothing/read", "value int", {}, "SELECT s.n AS n FROM tests_nothing AS s")
    statement(folder, "wrong/column", "value int", {}, "SELECT s.x AS n FROM tests_parents AS s")
    statement(
        folder, "wrong/syntax", "value int", {"text": "LONGTEXT"},
        "SELECT :text :text FROM WHERE",
    )  # fmt: skip
    return dal.sql_folder(folder)


@pytest.fixture(scope="module")
def tables(admin: Config, config: Config) -> Iterator[None]:
    from tests.faults.helpers import root_of

    with root_of(admin) as root:
        for table in ("tests_children", "tests_parents", "tests_secrets"):
            root.rows(f"DROP TABLE IF EXISTS {table}")
        root.rows("CREATE TABLE tests_parents (id INT NOT NULL PRIMARY KEY)")
        root.rows("CREATE TABLE tests_secrets (n INT NOT NULL PRIMARY KEY)")
        root.rows(
            """
            CREATE TABLE tests_children (
                id INT NOT NULL,
                parent_id INT NOT NULL,
                label VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
                n TINYINT NOT NULL DEFAULT 0,
                must VARCHAR(5) NOT NULL,
                doc JSON NULL,
                at DATETIME(6) NULL,
                PRIMARY KEY (id),
                UNIQUE KEY uq_tests_children_label (label),
                CONSTRAINT fk_tests_children_parent FOREIGN KEY (parent_id)
                    REFERENCES tests_parents (id),
                CONSTRAINT ck_tests_children_n CHECK (n <> 13)
            )
            """
        )
        root.rows("INSERT INTO tests_parents VALUES (1), (2)")
        root.rows("INSERT INTO tests_children (id, parent_id, label, must) VALUES (1, 1, 'a', 'x')")
        for table in ("tests_children", "tests_parents"):
            root.rows(f"GRANT ALL ON {table} TO '{config.user}'@'localhost'")
        yield
        for table in ("tests_children", "tests_parents", "tests_secrets"):
            root.rows(f"DROP TABLE {table}")


@pytest.fixture(scope="module")
async def own(config: Config, tables: None) -> AsyncIterator[dal.Database]:
    async with database(config) as db:
        yield db


@attrs.frozen
class Case:
    """A statement, its values, and the error that it must be."""

    name: str
    values: dict[str, Any]
    error: type[dal.DalError]
    errnos: tuple[int, int]  # MariaDB, MySQL
    named: tuple[str, str | None] | None = None
    told: str = ""


LABEL = "value-of-the-row"
CHILD: dict[str, Any] = {
    "id": 2, "parent_id": 1, "label": LABEL, "n": 0, "doc": None, "at": None
}  # fmt: skip
CASES = [
    Case("children/insert", CHILD | {"label": "a"}, dal.UniqueError, (1062, 1062),
         ("constraint", "uq_tests_children_label")),
    Case("children/insert", CHILD | {"id": 1}, dal.UniqueError, (1062, 1062),
         ("constraint", "PRIMARY")),
    Case("children/insert", CHILD | {"parent_id": 9}, dal.ParentMissingError, (1452, 1452),
         ("constraint", "fk_tests_children_parent")),
    Case("parents/delete", {"id": 1}, dal.ChildExistsError, (1451, 1451),
         ("constraint", "fk_tests_children_parent")),
    Case("children/insert", CHILD | {"parent_id": None}, dal.NotNullError, (1048, 1048),
         ("constraint", "parent_id")),
    Case("children/insert_without_must", {"id": 3}, dal.NotNullError, (1364, 1364),
         ("constraint", "must")),
    Case("children/insert", CHILD | {"n": 13}, dal.CheckError, (4025, 3819),
         ("constraint", "ck_tests_children_n")),
    Case("children/insert", CHILD | {"label": LABEL * 20}, dal.ValueRejectedError, (1406, 1406),
         ("field", "label")),
    Case("children/insert", CHILD | {"n": 8_765_432}, dal.ValueRejectedError, (1264, 1264),
         ("field", "n")),
    Case("children/set_number", {"id": 1, "text": LABEL}, dal.ValueRejectedError, (1366, 1366),
         ("field", "n")),
    Case("children/insert", CHILD | {"at": LABEL}, dal.ValueRejectedError, (1292, 1292),
         ("field", "at")),
    Case("children/insert", CHILD | {"doc": "{" + LABEL}, dal.ValueRejectedError, (4025, 3140),
         ("field", "doc")),
    Case("secrets/read", {}, dal.ServerError, (1142, 1142), None, "tests_secrets"),
    # Who may not see a table is not told whether it is there.
    Case("nothing/read", {}, dal.ServerError, (1142, 1142), None, "tests_nothing"),
    Case("wrong/column", {}, dal.ServerError, (1054, 1054), None, "'s.x'"),
    Case("wrong/syntax", {"text": LABEL}, dal.ServerError, (1064, 1064)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.error.__name__}-{case.errnos[0]}")
async def test_a_bad_row(own: dal.Database, bad: dal.SqlFolder, case: Case) -> None:
    verb = bad.statement(case.name).header.verb
    handle = bad.value(case.name, int) if verb == "value" else bad.affected(case.name)
    run: Any = system(own).value if verb == "value" else system(own).affected
    with pytest.raises(dal.DalError) as caught:
        await run(handle, **case.values)
    error = caught.value
    assert type(error) is case.error
    assert error.errno == case.errnos[own.engine == "mysql"]
    assert error.sqlstate is not None
    assert len(error.sqlstate) == 5
    assert error.statement == case.name
    assert case.told in str(error)
    assert LABEL not in str(error) + repr(error)
    assert "8765432" not in str(error)
    if case.named is not None:
        assert getattr(error, case.named[0]) == case.named[1]
        assert str(case.named[1]) in error.message


async def test_a_time_that_is_none_in_a_comparison(own: dal.Database, bad: dal.SqlFolder) -> None:
    """MySQL refuses it (1525); MariaDB warns, and finds nothing."""
    of = system(own).value(bad.value("children/at", int), text=LABEL)
    if own.engine == "mariadb":
        assert await of == 0
        return
    with pytest.raises(dal.ValueRejectedError) as caught:
        await of
    assert caught.value.errno == 1525
    assert LABEL not in str(caught.value)


@pytest.mark.parametrize("value", ODD)
async def test_no_message_repeats_a_value(
    own: dal.Database, bad: dal.SqlFolder, admin: Config, value: str
) -> None:
    me = system(own)
    insert = bad.affected("children/insert")
    set_number = bad.affected("children/set_number")
    await me.affected(insert, **CHILD | {"id": 50, "label": value})
    attempts: list[tuple[Any, dict[str, Any], type[dal.DalError], str | None]] = [
        (insert, CHILD | {"id": 51, "label": value}, dal.UniqueError, "uq_tests_children_label"),
        (set_number, {"id": 1, "text": value}, dal.ValueRejectedError, "n"),
        (insert, CHILD | {"id": 51, "at": value}, dal.ValueRejectedError, "at"),
        (insert, CHILD | {"id": 51, "doc": "{" + value}, dal.ValueRejectedError, "doc"),
    ]
    try:
        for handle, values, kind, named in attempts:
            with pytest.raises(kind) as caught:
                await me.affected(handle, **values)
            error: Any = caught.value
            told = f"{error} {error!r} {vars(error)}"
            assert (error.field if kind is dal.ValueRejectedError else error.constraint) == named
            assert "zq7xk" not in told
    finally:
        from tests.faults.helpers import root_of

        with root_of(admin) as root:
            root.rows("DELETE FROM tests_children WHERE id >= 50")


async def test_nowait(config: Config, root: Root, sql: Sql) -> None:
    root.rows("INSERT INTO tests_rows VALUES (1, 1, NULL)")
    root.rows("START TRANSACTION")
    root.rows("UPDATE tests_rows SET n = 2 WHERE id = 1")
    async with database(config) as db:
        with pytest.raises(dal.LockTimeoutError) as caught:
            async with system(db).begin() as tx:
                await tx.find(sql.rows_lock_at_once, id=1)
        assert caught.value.errno == (1205 if db.engine == "mariadb" else 3572)
        assert caught.value.statement == "rows/lock_at_once"
        await all_back(db)


async def test_the_servers_own_time_limit(config: Config, root: Root, sql: Sql) -> None:
    async with database(config) as db, borrowed(db) as connection:
        limit = (
            b"SET max_statement_time = 0.05"
            if db.engine == "mariadb"
            else b"SET max_execution_time = 50"
        )
        await connection.run(limit)
        with pytest.raises(dal.StatementTimeoutError) as caught:
            await connection.run(
                b"SELECT COUNT(*) FROM tests_hundred a, tests_hundred b, tests_hundred c,"
                b" tests_hundred d, tests_hundred e WHERE a.n + b.n + c.n + d.n + e.n = -1"
            )
        assert caught.value.errno == (1969 if db.engine == "mariadb" else 3024)
        assert (await connection.run(b"SELECT 1")).rows == (("1",),)
        connection.dirty = True


async def test_somebody_stopped_it(config: Config, root: Root, sql: Sql) -> None:
    """A DBA's KILL QUERY."""
    async with database(config) as db:
        task = asyncio.create_task(system(db).value(sql.rows_endless, id=1))
        await until(lambda: bool(root.running("dal:rows/endless")), "the statement")
        root.rows(f"KILL QUERY {root.running('dal:rows/endless')[0]}")
        with pytest.raises(dal.StatementTimeoutError) as caught:
            await task
        assert caught.value.errno == 1317
        await all_back(db)


async def test_a_killed_connection_is_a_lost_one(config: Config, root: Root, sql: Sql) -> None:
    async with database(config) as db:
        me = system(db)

        async def unit(tx: dal.Session) -> None:
            await tx.affected(sql.rows_insert, id=1, n=1, note=None)
            assert tx._tx is not None
            root.rows(f"KILL {tx._tx.connection.connection_id}")
            await tx.value(sql.rows_count)

        with pytest.raises(dal.ConnectionLostError) as caught:
            await me.run(unit, attempts=1)
        assert caught.value.statement == "rows/count"
        assert caught.value.errno is not None
        assert await me.value(sql.rows_count) == 0
        await all_back(db)


@pytest.mark.parametrize(
    ("change", "errno"),
    [
        ({"password": "not the password"}, 1045),
        ({"user": "nobody_of_that_name"}, 1045),
        ({"database": "no_such_database"}, None),
        ({"database": "mysql"}, None),
    ],
)
async def test_a_refused_log_in(config: Config, change: dict[str, str], errno: int | None) -> None:
    with pytest.raises(dal.ConnectError) as caught:
        async with database(config, **change):
            pass
    error = caught.value
    # A database that an account may not use is 1044, or 1049 where it may know that there is none.
    assert error.errno == errno or (errno is None and error.errno in (1044, 1049))
    assert error.sqlstate
    assert "not the password" not in str(error)


async def test_an_account_that_may_not_log_in(config: Config, root: Root) -> None:
    root.rows("CREATE USER tests_locked@localhost IDENTIFIED BY 'pw' ACCOUNT LOCK")
    try:
        with pytest.raises(dal.ConnectError, match=r"(?i)lock") as caught:
            async with database(config, user="tests_locked", password="pw"):
                pass
        assert caught.value.errno in (4151, 3118)
    finally:
        root.rows("DROP USER tests_locked@localhost")


async def test_too_old(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dal.settings._MINIMUM", {"mariadb": (99, 0, 0), "mysql": (99, 0, 0)})
    with pytest.raises(dal.ConnectError, match=r"too old: 99\.0\.0 or newer"):
        async with database(config):
            pass


async def test_too_many_connections(config: Config, root: Root, tmp_path: Path) -> None:
    """The greeting itself is an error, without an SQLSTATE."""
    (before,) = root.rows("SELECT @@global.max_connections")[0]
    used = len(root.rows("SHOW FULL PROCESSLIST"))
    root.rows(f"SET GLOBAL max_connections = {max(10, used + 5)}")
    try:
        # With less than it may have a pool works too.
        async with database(config, pool_min=60, pool_max=60) as db:
            assert 0 < db.pool.size < 60
            with pytest.raises(dal.ConnectError) as caught:
                async with database(config):
                    pass
        assert caught.value.errno == 1040
    finally:
        root.rows(f"SET GLOBAL max_connections = {before}")


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
@pytest.mark.parametrize("packet", [0, 1, 2])
async def test_a_handshake_that_is_cut_short(
    config: Config, tmp_path: Path, cut: Cut, packet: int
) -> None:
    """The log-in, the session's settings, what follows: the same words at each."""
    assert config.unix_socket is not None
    proxy = Proxy(tmp_path / "proxy.sock", config.unix_socket)
    seen = 0

    def decide(_: bytes) -> Cut:
        nonlocal seen
        seen += 1
        return cut if seen == packet + 1 else Cut.PASS

    proxy.decide = decide
    async with proxy.listening():
        with pytest.raises(dal.ConnectError, match="the handshake was cut short: the server hung"):
            await Connection.open(attrs.evolve(config, unix_socket=str(proxy.path)))


async def test_a_server_that_hangs_up_before_it_greets(config: Config, tmp_path: Path) -> None:
    def hang_up(_: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        back.close()

    path = tmp_path / "silent.sock"
    listener = await asyncio.start_unix_server(hang_up, str(path))
    async with listener:
        with pytest.raises(dal.ConnectError, match="cut short"):
            await Connection.open(attrs.evolve(config, unix_socket=str(path)))
