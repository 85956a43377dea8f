"""One connection: aiomysql's, with what it leaves open closed.

What is added: TLS that was asked for is had before the password is sent; a session whose every
setting is ours, again after each reset; no second statement in one packet; server errors as errors
of this package, with their SQLSTATE; rows as they come, for our own decoders.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Final

import aiomysql
import attrs
from pymysql.connections import MysqlPacket
from pymysql.constants import CLIENT, COMMAND, SERVER_STATUS
from pymysql.err import Error as DriverError

from dal.config import Config
from dal.errors import (
    LOST,
    ConfigError,
    ConnectError,
    ConnectionLostError,
    DalError,
    ReadOnlyServerError,
    UnavailableError,
    UsageError,
    from_server,
)
from dal.secret import Secret
from dal.settings import (
    STATEMENT_LOGGED,
    parse_version,
    refuse_statement_log,
    session_settings,
)

__all__ = ["Connection", "RawResult"]

_COM_SET_OPTION: Final = 0x1B
_COM_RESET_CONNECTION: Final = 0x1F
_MULTI_STATEMENTS_OFF: Final = struct.pack("<H", 1)
# What reading raises where there is no connection any more, or no server that speaks the protocol.
_NO_PROTOCOL: Final = (
    OSError,
    EOFError,
    AttributeError,
    AssertionError,
    IndexError,
    ValueError,
    struct.error,
)
# The driver's numbers for an end where an answer should have been.
_CUT_SHORT: Final = frozenset({2006, 2013, 2055})
# Bytes and text that a wrong driver, character set or sql_mode would return changed.
_PROBE_BYTES: Final = b"\x00'\\\x80"
_PROBE_TEXT: Final = "\\'\u00e9\U0001f600"
_SELF_TEST: Final = (
    f"SELECT X'{_PROBE_BYTES.hex()}', '\\\\\\'\u00e9\U0001f600', @@max_allowed_packet, "
    f"CONNECTION_ID(), {STATEMENT_LOGGED}"
).encode()


# MariaDB has no name for a server that no other one has, and a copied MySQL has that of the first;
# two on one machine differ in these.
_IDENTITY: Final = b", @@hostname, @@port, @@datadir, @@pid_file, @@server_id"


@attrs.frozen(slots=True)
class RawResult:
    """What the server answered. ``columns`` is empty for a statement without rows; ``affected`` is
    the number of rows matched, or the number of rows given.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | bytes | None, ...], ...]
    affected: int
    last_id: int
    warnings: int


class _Packet(MysqlPacket):  # type: ignore[misc]
    """A packet whose error is one of ours; the driver's classes drop the SQLSTATE."""

    __slots__ = ()

    def raise_for_error(self) -> None:
        data = bytes(self._data)
        errno = int.from_bytes(data[1:3], "little")
        has_state = data[3:4] == b"#"
        sqlstate = data[4:9].decode("ascii", "replace") if has_state else None
        message = data[9 if has_state else 3 :].decode("utf-8", "replace")
        raise from_server(errno, message, sqlstate=sqlstate)


class Connection(aiomysql.Connection):  # type: ignore[misc]
    """A connection that is ours. Make one with :meth:`open`."""

    _result: Any
    # For the driver's __del__ and for repr, where __init__ has failed.
    _writer: Any = None
    connection_id = 0

    def __init__(self, config: Config) -> None:
        self._config = config
        self._secret = config.password
        super().__init__(
            host=config.host,
            port=config.port,
            user=config.user,
            db=config.database,
            unix_socket=config.unix_socket,
            charset="utf8mb4",
            # Rows are decoded by their statement's own function, from text.
            conv={},
            client_flag=CLIENT.FOUND_ROWS,
            ssl=config.ssl_context(),
            # open() bounds all of it; wait_for() can lose a cancellation in Python 3.11.
            connect_timeout=None,
            autocommit=None,
            local_infile=False,
            program_name="dal",
            loop=asyncio.get_running_loop(),
        )
        self.engine = ""
        self.version = (0, 0, 0)
        self.max_allowed_packet = 0
        self.dirty = False
        self.busy = False
        self.abandoned = False
        self.demoted = False
        # Which server it is: behind one address there may be several.
        self.server = ""
        self.server_started_at = 0.0
        self.opened_at = self.loop.time()
        self.idle_since = self.opened_at

    # The driver keeps the password as an attribute; here the attribute is a view of the secret.
    # The protocol code encodes it as latin-1: UTF-8 bytes in disguise come out as they must.
    @property
    def _password(self) -> str:
        return self._secret.reveal().encode().decode("latin-1")

    @_password.setter
    def _password(self, value: str) -> None:
        if value:
            self._secret = Secret(value)

    def __repr__(self) -> str:
        return f"<Connection {self.connection_id} to {self._config.where}>"

    @classmethod
    async def open(cls, config: Config) -> Connection:
        """Connect, log in, set up the session and test it, within ``connect_timeout_s``.

        Raises:
            ConnectError: not reached, refused, no TLS where TLS was asked for, or too old.
            ConfigError: a certificate file is not there.
        """
        connection = cls(config)
        failure: DalError
        try:
            # The driver's own limit covers the TCP handshake alone, not a server that is silent.
            async with asyncio.timeout(config.connect_timeout_s):
                await connection._connect()
                await connection._set_up()
        except TimeoutError:
            failure = ConnectError(f"no answer within {config.connect_timeout_s} s: {config.where}")
        except (UnavailableError, ConfigError) as error:
            failure = error
        except DalError as error:
            failure = ConnectError(
                f"cannot connect to {config.where}: {error.message}",
                errno=error.errno,
                sqlstate=error.sqlstate,
            )
        except (DriverError, *_NO_PROTOCOL) as error:
            failure = ConnectError(f"cannot connect to {config.where}: {_reason(error)}")
        except BaseException:
            connection.close()
            raise
        else:
            return connection
        connection.close()
        # Raised here, without the traceback of the log-in: some plugins of the driver have the
        # password in a local variable, and there are loggers that show those.
        raise failure.with_traceback(None)

    async def _request_authentication(self) -> None:
        if self._ssl_context and not self.server_capabilities & CLIENT.SSL:
            # The driver would go on in plain text, with the password.
            raise ConnectError(f"TLS was asked for, and the server has none: {self._config.where}")
        self._refuse_clear_text(self._server_auth_plugin)
        await super()._request_authentication()

    async def _process_auth(self, plugin_name: bytes, auth_packet: Any) -> Any:
        self._refuse_clear_text(plugin_name.decode("ascii", "replace"))
        return await super()._process_auth(plugin_name, auth_packet)

    def _refuse_clear_text(self, plugin: str) -> None:
        # Whoever answers in the server's place could ask for the password itself.
        if plugin == "mysql_clear_password" and not (self._secure or self._ssl_context):
            raise ConnectError(f"the server wants the password in clear text: {self._config.where}")

    async def _read_packet(self, packet_type: type = MysqlPacket) -> Any:
        return await super()._read_packet(_Packet if packet_type is MysqlPacket else packet_type)

    def _init_statement(self) -> bytes:
        # The client's own limit strikes first; the server's is for a client that is gone.
        return session_settings(
            self.engine,
            self.version,
            lock_wait_s=self._config.lock_wait_timeout_s,
            limit_s=self._config.statement_timeout_s * 1.1 + 1,
        ).encode()

    async def _set_up(self) -> None:
        self.engine, self.version = parse_version(self.server_version)
        await self.query(self._init_statement())
        await self._execute_command(_COM_SET_OPTION, _MULTI_STATEMENTS_OFF)
        await self._read_packet()
        if self.server_status & SERVER_STATUS.SERVER_STATUS_NO_BACKSLASH_ESCAPES:
            raise ConnectError(
                "the session is in NO_BACKSLASH_ESCAPES, in which text is injectable"
            )
        result = await self.run(_SELF_TEST + _IDENTITY)
        data, text, packet, connection_id, logged, *server = result.rows[0]
        refuse_statement_log(logged)
        if data != _PROBE_BYTES or text != _PROBE_TEXT:
            raise ConnectError("bytes or text do not come back as they were sent: driver mismatch")
        self.max_allowed_packet = int(packet or 0)
        self.connection_id = int(connection_id or 0)
        self.server = repr(server)

    async def run(self, sql: bytes) -> RawResult:
        """Send one statement and read its whole answer.

        A cancellation closes the connection and leaves it ``abandoned``: what runs on the server
        is the pool's to kill.

        Raises:
            UsageError: another task is using this connection.
            DalError: what the server said, translated.
            ConnectionLostError: the connection is gone.
        """
        if self.busy:
            raise UsageError("two tasks use one connection: each task begins its own transaction")
        self.busy = True
        try:
            await self.query(sql)
            result = self._result
            columns = (
                tuple(field.name for field in result.fields) if result.rows is not None else ()
            )
            return RawResult(
                columns,
                result.rows or (),
                result.affected_rows,
                result.insert_id or 0,
                result.warning_count,
            )
        except (ConnectionLostError, ReadOnlyServerError) as error:
            self.demoted = isinstance(error, ReadOnlyServerError)
            self.close()
            raise
        except DalError:
            raise
        except (DriverError, *_NO_PROTOCOL) as error:
            # Gone, or closed by another task, or a packet that nobody understands.
            self.close()
            lost = from_server(LOST, "")
            lost.__context__ = error
            raise lost from None
        except BaseException:
            self.abandon()
            raise
        finally:
            self.busy = False
            # The driver keeps the last result, and its rows, until the next statement.
            self._result = None

    def abandon(self) -> None:
        """Close it, though the server may still be running a statement of it."""
        self.abandoned = True
        self.close()

    @property
    def gone(self) -> bool:
        """Whether it is known that the server hung up, or said something that nobody asked for."""
        reader = self._reader
        return (
            reader is None
            or reader.at_eof()
            or reader.exception() is not None
            or reader.eof_received
            # An idle connection that the server ends is told so in a packet of its own.
            or len(reader._buffer) > 0
        )

    async def reset(self) -> None:
        """Make the session new: both packets are written at once, then both answers are read.

        A bare reset would leave the server's own character set and collation.

        Raises:
            ConnectionLostError: the connection is gone.
        """
        init = self._init_statement()
        try:
            self._ensure_alive()
            self._write_bytes(
                struct.pack("<iB", 1, _COM_RESET_CONNECTION)
                + struct.pack("<iB", len(init) + 1, COMMAND.COM_QUERY)
                + init
            )
            for _ in range(2):
                self._next_seq_id = 1
                await self._read_ok_packet()
        except (DriverError, *_NO_PROTOCOL):
            self.close()
            raise from_server(LOST, "") from None
        except BaseException:
            self.close()
            raise
        self.dirty = False

    async def is_of_server_of(self, other: Connection) -> bool:
        """Whether this one is of the same server as an older one, and of the same run of it.

        Only there its number means what it meant: it counts from 1 again after each start.
        """
        if self.server != other.server:
            return False
        if self.opened_at <= other.opened_at:
            return True
        if not self.server_started_at:
            asked_at = self.loop.time()
            result = await self.run(b"SHOW GLOBAL STATUS LIKE 'Uptime'")
            self.server_started_at = asked_at - int(result.rows[0][1] or 0)
        return bool(other.opened_at > self.server_started_at)

    async def alive(self, timeout_s: float) -> bool:
        """Whether the server answers a ping in time; if not, the connection is closed."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.ping(reconnect=False)
        except (DriverError, DalError, *_NO_PROTOCOL):
            self.close()
            return False
        return True

    @property
    def in_transaction(self) -> bool:
        """Whether the server's last answer said so."""
        return bool(self.get_transaction_status())


def _reason(error: BaseException) -> str:
    """What a driver's or the system's error says, without what could be a value."""
    cause = error.__cause__ or error
    number = error.args[0] if isinstance(error, DriverError) and error.args else None
    if isinstance(cause, EOFError) or number in _CUT_SHORT:
        return (
            "the handshake was cut short: the server hung up, or it waited longer than its"
            " connect_timeout for an event loop that was blocked"
        )
    if isinstance(cause, OSError):
        return str(cause)
    if isinstance(error, _NO_PROTOCOL):
        return "what answers does not speak the protocol of MySQL"
    return f"the driver gave up ({type(error).__name__})"
