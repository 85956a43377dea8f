"""A password is in no repr, no log line and no traceback, local variables and all."""

from __future__ import annotations

import asyncio
import logging
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest

import dal
from dal.config import Config
from dal.secret import Secret
from dal.session.connection import Connection
from tests.conftest import options
from tests.faults.helpers import Root, Sql, database, system

PASSWORD = "pässwörd-\U0001f511-of-the-test"  # what no other text has in it
PIECES = ("wörd", "of-the-test", "rd-", quote(PASSWORD), PASSWORD.encode().decode("latin-1"))


def told(error: BaseException) -> str:
    """All that a logger with a taste for local variables would show, but for this file's own."""
    seen: list[str] = []
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is None:
            continue
        seen += [str(one), repr(one), repr(vars(one))]
        shown = traceback.TracebackException.from_exception(one, capture_locals=True)
        for frame in shown.stack:
            if Path(frame.filename).parent != Path(__file__).parent:
                seen.append(f"{frame} {frame.locals}")
        pending += [one.__cause__, one.__context__]
    return "\n".join(seen)


def assert_silent(text: str) -> None:
    for piece in PIECES:
        assert piece not in text


def url_of(config: Config, **change: str) -> str:
    user = change.get("user", config.user)
    assert config.unix_socket is not None
    return (
        f"mysql://{user}:{quote(PASSWORD, safe='')}@localhost/{config.database}"
        f"?unix_socket={quote(config.unix_socket)}"
    )


async def test_a_password_beyond_ascii(config: Config, root: Root, sql: Sql) -> None:
    for plugin in ("mysql_native_password", "caching_sha2_password"):
        on_mariadb = "MariaDB" in root.value("SELECT VERSION()")
        if on_mariadb != (plugin == "mysql_native_password"):
            continue
        root.rows(f"CREATE USER tests_secret@localhost IDENTIFIED BY '{PASSWORD}'")
    try:
        root.rows("GRANT SELECT ON users TO tests_secret@localhost")
        async with dal.connect(url_of(config, user="tests_secret")) as db:
            assert await system(db).users.count() >= 0
        # The second time the server has it cached, which is another way through the protocol.
        async with dal.connect(url_of(config, user="tests_secret")) as db:
            assert await system(db).users.count() >= 0
    finally:
        root.rows("DROP USER tests_secret@localhost")


async def test_no_repr_shows_it(
    config: Config, root: Root, caplog: pytest.LogCaptureFixture
) -> None:
    root.rows(f"CREATE USER tests_secret@localhost IDENTIFIED BY '{PASSWORD}'")
    loop = asyncio.get_running_loop()
    before = loop.get_debug()
    try:
        root.rows("GRANT SELECT ON users TO tests_secret@localhost")
        loop.set_debug(True)
        with caplog.at_level(logging.DEBUG):
            async with dal.connect(url_of(config, user="tests_secret")) as db:
                me = system(db)
                await me.users.count()
                connection: Connection = db.pool._free[0]
                things = [
                    db, db.config, db.pool, db._core, connection, connection._config,
                    connection._secret, me, me.users, vars(connection), vars(db.pool), vars(me),
                    connection._connect_attrs, db.config.where,
                ]  # fmt: skip
                for thing in things:
                    assert_silent(repr(thing))
                    assert_silent(str(thing))
        assert_silent(caplog.text)
        assert connection._secret.reveal() == PASSWORD
    finally:
        loop.set_debug(before)
        root.rows("DROP USER tests_secret@localhost")


async def test_a_refused_log_in_does_not_show_it(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(dal.ConnectError) as caught:
            async with database(config, password=PASSWORD):
                pass
        with pytest.raises(dal.ConnectError) as of_nobody:
            async with database(config, unix_socket="/nowhere.sock", password=PASSWORD):
                pass
    assert_silent(told(caught.value))
    assert_silent(told(of_nobody.value))
    assert_silent(caplog.text)


async def test_a_log_in_by_the_password_itself_does_not_show_it(
    config: Config, tmp_path: Path
) -> None:
    """Some plugins send it, over a socket or TLS; the driver then has it in a local variable."""
    got: list[bytes] = []

    def packet(number: int, payload: bytes) -> bytes:
        return len(payload).to_bytes(3, "little") + bytes([number]) + payload

    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plugin = b"mysql_native_password\0"
        writer.write(
            packet(
                0,
                b"\x0a8.0.40\0\1\0\0\x0012345678\0\xff\xf7\x21\2\0\xff\x81\x15"
                + bytes(10) + b"123456789012\0" + plugin,
            )
        )  # fmt: skip
        await reader.read(65536)
        writer.write(packet(2, b"\xfemysql_clear_password\0"))
        got.append(await reader.read(65536))
        writer.write(packet(4, b"\xff\x15\x04#28000Access denied for user 'u'@'h'"))
        await writer.drain()
        writer.close()

    listener = await asyncio.start_unix_server(refuses, str(tmp_path / "asks.sock"))
    try:
        with pytest.raises(dal.ConnectError, match="Access denied") as caught:
            async with database(
                config, unix_socket=str(tmp_path / "asks.sock"), password=Secret(PASSWORD)
            ):
                pass
    finally:
        listener.close()
        await listener.wait_closed()
    assert PASSWORD.encode() in got[0]
    assert_silent(told(caught.value))


async def test_a_refused_url_does_not_show_it(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(dal.ConnectError) as caught:
        async with dal.connect(url_of(config)):
            pass
    assert_silent(told(caught.value))
    assert_silent(caplog.text)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:{}@localhost:port/db",
        "mysql://u:{}@localhost/db?no_such_option=1",
        "mysql://u:{}@localhost/db?pool_max=many",
        "mysql://u:{}@localhost/db?pool_max=-1",
        "mysql://u:{}@localhost/",
        "postgres://u:{}@localhost/db",
        "mysql://u:{}@localhost/db#fragment",
        "mysql://u:{}@localhost/db?ssl_ca=/nowhere.pem",
        # Not escaped, as people write it.
        "mysql://u:12/{}@localhost/db",
        "mysql://u:12?{}@localhost/db",
        "mysql://u:12?x={}@localhost/db",
        "mysql://u:x/{}@localhost/db",
        "mysql://u:x#{}@localhost/db",
    ],
)
async def test_a_malformed_url_does_not_show_it(url: str) -> None:
    for password in (quote(PASSWORD, safe=""), "rd-of-the-test"):
        with pytest.raises(dal.ConfigError) as caught:
            async with dal.connect(url.format(password)):
                pass
        assert_silent(told(caught.value))


async def test_a_wrong_keyword_does_not_show_it() -> None:
    with pytest.raises(dal.ConfigError, match="no_such_option") as caught:
        async with dal.connect(user="u", password=PASSWORD, database="d", no_such_option=1):
            pass
    assert_silent(told(caught.value))
    with pytest.raises(dal.ConfigError, match="port") as caught:
        async with dal.connect(user="u", password=PASSWORD, database="d", port="x"):
            pass
    assert_silent(told(caught.value))


async def test_a_config_made_by_hand_does_not_show_it(config: Config) -> None:
    made = Config(user="u", password=PASSWORD, database="d")
    assert_silent(repr(made))
    assert made.password.reveal() == PASSWORD
    assert_silent(repr(options(made)))


async def test_no_value_reaches_a_log_or_the_hook(
    config: Config, root: Root, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    """Trap A35: the driver's echo shows every parameter; nothing here does."""
    seen: list[object] = []

    def hook(*told: object) -> None:
        seen.append(told)

    with caplog.at_level(logging.DEBUG):
        async with database(config, on_statement=hook) as db:
            me = system(db)
            await me.affected(sql.rows_insert, id=1, n=1, note=PASSWORD)
            with pytest.raises(dal.UniqueError):
                await me.affected(sql.rows_insert, id=1, n=1, note=PASSWORD)
            assert (await me.one(sql.rows_get, id=1)).note == PASSWORD
    assert len(seen) == 3
    assert_silent(repr(seen))
    assert_silent(caplog.text)
