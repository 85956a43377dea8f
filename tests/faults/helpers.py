"""What the fault tests stand on: tables and statements of their own, a root connection to look at
the server with, a proxy that cuts links, and a way to cancel a coroutine at any of its awaits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import closing, contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar

import attrs

import dal
from dal.config import Config
from dal.provision import connect
from dal.session.connection import Connection
from tests.conftest import options

T = TypeVar("T")

TABLES = {
    "tests_rows": """
        id INT NOT NULL PRIMARY KEY,
        n INT NOT NULL,
        note VARCHAR(100) NULL
    """,
    "tests_hundred": "n INT NOT NULL PRIMARY KEY",
    "tests_bulk": "id INT NOT NULL PRIMARY KEY, note VARCHAR(100) NULL",
}


@attrs.frozen(slots=True)
class Row:
    """A row of tests_rows."""

    id: int
    n: int
    note: str | None


def statement(
    folder: Path, name: str, returns: str, params: dict[str, str], sql: str, *, more: str = ""
) -> None:
    """Write a .sql file; ``params`` is name -> SQL type."""
    lines = [
        "-- Do what a test wants.",
        "--",
        f"-- returns: {returns}",
        *(f"-- param:   {param}  {kind}  of a test" for param, kind in params.items()),
        "-- access:  n/a",
        "-- deleted: n/a",
        "-- index:   n/a",
        "-- reads:   0",
        "-- locks:   none",
        *([f"-- {more}"] if more else []),
        sql,
    ]
    path = folder / f"{name}.sql"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_statements(folder: Path) -> dal.SqlFolder:
    """The statements that the fault tests share."""
    row = "r.id AS id, r.n AS n, r.note AS note"
    one, n = {"id": "INT"}, {"id": "INT", "n": "INT"}
    all_three = {"id": "INT", "n": "INT", "note": "VARCHAR(100) NULL"}
    statement(
        folder, "rows/get", "one Row", one, f"SELECT {row} FROM tests_rows AS r WHERE r.id = :id"
    )
    statement(
        folder, "rows/find", "find Row", one, f"SELECT {row} FROM tests_rows AS r WHERE r.id = :id"
    )
    statement(
        folder, "rows/lock", "find Row", one,
        f"SELECT {row} FROM tests_rows AS r WHERE r.id = :id FOR UPDATE",
    )  # fmt: skip
    statement(
        folder, "rows/lock_at_once", "find Row", one,
        f"SELECT {row} FROM tests_rows AS r WHERE r.id = :id FOR UPDATE NOWAIT",
    )  # fmt: skip
    statement(
        folder, "rows/page", "many Row", {"after_id": "INT", "limit_rows": "INT"},
        f"SELECT {row} FROM tests_rows AS r WHERE r.id > :after_id ORDER BY r.id LIMIT :limit_rows",
    )  # fmt: skip
    statement(
        folder, "rows/among", "many Row", {"ids": "INT"},
        f"SELECT {row} FROM tests_rows AS r WHERE r.id IN :ids ORDER BY r.id LIMIT 500",
    )  # fmt: skip
    statement(
        folder, "rows/insert", "affected", all_three,
        "INSERT INTO tests_rows (id, n, note) VALUES (:id, :n, :note)",
    )  # fmt: skip
    statement(folder, "rows/set", "affected", n, "UPDATE tests_rows SET n = :n WHERE id = :id")
    statement(folder, "rows/add", "affected", n, "UPDATE tests_rows SET n = n + :n WHERE id = :id")
    statement(folder, "rows/delete", "affected", one, "DELETE FROM tests_rows WHERE id = :id")
    statement(folder, "rows/count", "value int", {}, "SELECT COUNT(*) AS n FROM tests_rows")
    # 10^12 combinations: only an end from outside ends it.
    statement(
        folder, "rows/endless", "value int", one,
        "SELECT COUNT(*) AS n FROM tests_hundred AS a, tests_hundred AS b, tests_hundred AS c,\n"
        "    tests_hundred AS d, tests_hundred AS e, tests_hundred AS f\n"
        "WHERE a.n + b.n + c.n + d.n + e.n + f.n = -1 - ABS(:id)",
    )  # fmt: skip
    statement(folder, "rows/warning", "value int", {}, "SELECT 1 / 0 IS NULL AS n")
    statement(
        folder, "bulk/insert", "affected", {"id": "INT", "note": "VARCHAR(100) NULL"},
        "INSERT INTO tests_bulk (id, note) VALUES (:id, :note)",
    )  # fmt: skip
    statement(folder, "bulk/count", "value int", {}, "SELECT COUNT(*) AS n FROM tests_bulk")
    return dal.sql_folder(folder)


@attrs.frozen
class Sql:
    """Handles of the statements above."""

    folder: dal.SqlFolder

    def __getattr__(self, name: str) -> Any:
        table, _, method = name.partition("_")
        full = f"{table}/{method}"
        verb = self.folder.statement(full).header.verb
        record = self.folder.statement(full).header.record
        types: dict[str, type] = {"Row": Row, "int": int, "str": str}
        make = getattr(self.folder, verb)
        return make(full, types[record]) if record else make(full)


class Root:
    """An administrator's connection, from outside of everything that is tested."""

    def __init__(self, admin: Config) -> None:
        self._connection = connect(admin)

    def rows(self, sql: str, *args: object) -> tuple[tuple[Any, ...], ...]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, args or None)
            return tuple(cursor.fetchall())

    def value(self, sql: str, *args: object) -> Any:
        return self.rows(sql, *args)[0][0]

    def running(self, text: str) -> list[int]:
        """Connections that run a statement with this text in it, right now."""
        rows = self.rows("SHOW FULL PROCESSLIST")
        return [row[0] for row in rows if text in str(row[7]) and row[4] != "Sleep"]

    def connections(self, user: str) -> int:
        """How many connections an account has, but for those that are being killed."""
        rows = self.rows("SHOW FULL PROCESSLIST")
        return sum(row[1] == user and row[4] != "Killed" for row in rows)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def root_of(admin: Config) -> Iterator[Root]:
    with closing(Root(admin)) as root:
        yield root


async def until(check: Callable[[], bool], what: str, *, within_s: float = 20.0) -> None:
    """Let the loop run until something is seen; fail if it is never seen."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not check():
        assert loop.time() < deadline, f"never seen: {what}"
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def database(config: Config, **more: Any) -> AsyncIterator[dal.Database]:
    """A database of a test's own."""
    hook = more.pop("on_statement", None)
    async with dal.connect(on_statement=hook, **{**options(config), **more}) as db:
        yield db


def system(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.system("faults"))


def assert_all_back(db: dal.Database) -> None:
    """Nobody has a connection, nobody waits for one, no place is lost."""
    pool = db.pool
    assert not pool._used
    assert not pool._burying
    assert pool._acquiring == 0
    assert pool.n_waiting == 0
    assert not pool._waiters
    assert pool.size == pool.freesize <= pool.maxsize
    assert all(not connection.closed for connection in pool._free)


async def all_back(db: dal.Database) -> None:
    """Wait for kills to be done, then check the pool's books."""
    await until(lambda: not db.pool._burying, "the end of the kills")
    assert_all_back(db)


class CancelAt(Awaitable[T]):
    """Awaits a coroutine, and cancels the task at the coroutine's k-th await.

    ``early``: before what it waits for is there. ``late``: when that is there, and the task has
    not been told. ``twice``: early, and again at the next await.
    """

    def __init__(
        self, work: Coroutine[Any, Any, T], k: int, how: Literal["early", "late", "twice"]
    ) -> None:
        self._work = work
        self._k = k
        self._how = how
        self.reached = False

    def __await__(self) -> Generator[Any, Any, T]:
        task = asyncio.current_task()
        assert task is not None
        inner = self._work.__await__()
        step: Callable[[], Any] = lambda: inner.send(None)  # noqa: E731
        k = 0
        while True:
            try:
                waits_for = step()
            except StopIteration as end:
                result: T = end.value
                return result
            k += 1
            if k == self._k or (self._how == "twice" and k == self._k + 1):
                self.reached = True
                if self._how != "late":
                    task.cancel()
                elif waits_for is None:
                    asyncio.get_running_loop().call_soon(task.cancel)
                else:
                    # Asked before the task asks, so it is told before the task is.
                    waits_for.add_done_callback(lambda _: task.cancel())
            try:
                got = yield waits_for
            except BaseException as error:
                step = _throw(inner, error)
            else:
                step = _send(inner, got)


def _send(inner: Generator[Any, Any, Any], got: Any) -> Callable[[], Any]:
    return lambda: inner.send(got)


def _throw(inner: Generator[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: inner.throw(error)


class Cut(Enum):
    """What a proxy does with the packet it was asked about."""

    PASS = "pass"
    BEFORE = "cut before the server sees it"
    AFTER = "cut when the server has answered"
    HOLD = "say nothing more"


@attrs.define
class Proxy:
    """A socket in front of a server's, which cuts the link when it is told to."""

    path: Path
    target: str
    decide: Callable[[bytes], Cut] = lambda _: Cut.PASS
    n_links: int = 0
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set)

    async def _link(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self.n_links += 1
        server, to = await asyncio.open_unix_connection(self.target)
        cut_at_answer = False

        async def answers() -> None:
            while data := await server.read(65536):
                if cut_at_answer:
                    break
                back.write(data)
            back.close()
            to.close()

        answering = asyncio.create_task(answers())
        try:
            while data := await client.read(65536):
                cut = self.decide(data)
                if cut is Cut.HOLD:
                    continue
                if cut is Cut.BEFORE:
                    break
                cut_at_answer = cut_at_answer or cut is Cut.AFTER
                to.write(data)
                if cut_at_answer:
                    await answering
                    break
        except ConnectionError:
            pass
        finally:
            answering.cancel()
            to.close()
            back.close()

    def _accept(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._link(client, back))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Proxy]:
        listener = await asyncio.start_unix_server(self._accept, str(self.path))
        try:
            yield self
        finally:
            listener.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await listener.wait_closed()


@contextlib.asynccontextmanager
async def borrowed(db: dal.Database) -> AsyncIterator[Connection]:
    """A raw connection of the pool, to do with it what our own statements cannot."""
    connection = await db.pool.borrow()
    try:
        yield connection
    finally:
        db.pool.release(connection)
