"""The pool: aiomysql's, with its queue replaced.

The driver's pool forgets those who wait when a connection comes back closed or in a transaction,
has no limit on the wait, and holds its lock while it connects. Here a connection, or the right to
open one, is handed to the one who has waited longest.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any

import aiomysql

from dal.config import Config
from dal.errors import (
    NO_SUCH_CONNECTION,
    SERVER_FULL,
    ConnectError,
    DalError,
    PoolTimeoutError,
    ServerError,
    UnavailableError,
    UsageError,
)
from dal.session.connection import Connection

__all__ = ["Pool"]

_log = logging.getLogger("dal")
_CLOSE_TIMEOUT_S = 10.0
_GOODBYE_TIMEOUT_S = 1.0
_PING_TIMEOUT_S = 2.0
_FULL_WAIT_S = 0.1

Handed = Connection | None


class Pool(aiomysql.Pool):  # type: ignore[misc]
    """At most ``pool_max`` connections; those who wait are served in the order they came."""

    def __init__(self, config: Config) -> None:
        super().__init__(
            minsize=config.pool_min,
            maxsize=config.pool_max,
            echo=False,
            pool_recycle=-1,
            loop=asyncio.get_running_loop(),
        )
        self._config = config
        self._waiters: deque[asyncio.Future[Handed]] = deque()
        # Connections whose last statement is being killed still take a place: the server has them.
        self._burying: set[asyncio.Task[None]] = set()
        self._came_back = asyncio.Event()
        self._killer: Connection | None = None
        self._killer_lock = asyncio.Lock()
        # What was opened before is of a server that takes no writes any more.
        self._left_at = float("-inf")
        # Why no connection is opened just now: the server or the account has as many as it may.
        self._full: ConnectError | None = None

    @classmethod
    async def open(cls, config: Config) -> Pool:
        """A pool with its first connections made.

        Raises:
            ConnectError: the first connection could not be made.
        """
        pool = cls(config)
        try:
            for _ in range(config.pool_min):
                pool._free.append(await pool._connect())
        except ConnectError as error:
            # With less than it may have it works too.
            if error.errno not in SERVER_FULL or not pool._free:
                await pool.shut()
                raise
        except BaseException:
            await pool.shut()
            raise
        return pool

    @property
    def size(self) -> int:
        """Connections that are free, used, being opened, or being killed."""
        return int(super().size) + len(self._burying)

    @property
    def n_waiting(self) -> int:
        """How many tasks wait for a connection."""
        return sum(not waiter.done() for waiter in self._waiters)

    async def _connect(self) -> Connection:
        # The one that kills is had first: where the account may have no more, nothing else ends
        # what was cancelled.
        await self._reserve_killer()
        return await Connection.open(self._config)

    async def _reserve_killer(self) -> None:
        if self._killer is not None and not self._killer.gone:
            return
        async with self._killer_lock:
            if self._killer is None or self._killer.gone:
                await self._close_killer()
                try:
                    self._killer = await Connection.open(self._config)
                except ConnectError as error:
                    if error.errno not in SERVER_FULL:
                        raise

    async def _close_killer(self) -> None:
        if self._killer is not None:
            self._killer.close()
            self._killer = None

    async def borrow(self, timeout_s: float | None = None) -> Connection:
        """A connection that is alive and clean; give it back with :meth:`release`.

        Raises:
            PoolTimeoutError: none became free in time.
            ConnectError: a new one could not be made.
            UnavailableError: the pool is closed.
        """
        limit = self._config.acquire_timeout_s
        if timeout_s is not None:
            limit = max(0.0, min(limit, timeout_s))
        try:
            async with asyncio.timeout(limit):
                return await self._acquire()
        except TimeoutError:
            raise PoolTimeoutError(
                f"no connection became free within {limit:.3g} s "
                f"(pool_max={self.maxsize}, {self.n_waiting} more wait)"
                f"{f'; {self._full.message}' if self._full else ''}"
            ) from None

    async def _acquire(self) -> Connection:
        if asyncio.get_running_loop() is not self._loop:
            raise UsageError("a Database belongs to the event loop that it was opened in")
        first = False
        while True:
            if self._closing:
                raise UnavailableError("the database is closed")
            connection = await self._next_place(first=first)
            # From here on this task owns a place, and must use it or give it up.
            if connection is not None:
                if await self._is_fit(connection):
                    return connection
                # The place is kept: who has waited longest does not go to the end of the queue.
                self._used.discard(connection)
                self._acquiring += 1
            try:
                connection = await self._connect()
            except BaseException as error:
                self._acquiring -= 1
                if isinstance(error, ConnectError) and error.errno in SERVER_FULL:
                    await self._note_full(error)
                    first = True
                    continue
                self._hand_out()
                raise
            self._full = None
            self._acquiring -= 1
            self._used.add(connection)
            if self._closing:
                self._drop(connection)
                raise UnavailableError("the database is closed")
            return connection

    async def _note_full(self, refused: ConnectError) -> None:
        """Open no connection for a while: the pool is smaller than it may be, since others have
        what the server or the account may have.
        """
        if not self.size and self._killer is not None:
            # The only one that there is to be had.
            await self._close_killer()
        elif self._full is None:
            self._full = refused
            self._loop.call_later(_FULL_WAIT_S, self._try_again)

    def _try_again(self) -> None:
        self._full = None
        self._hand_out()

    @property
    def _has_room(self) -> bool:
        return self._full is None and self.size < int(self.maxsize)

    async def _next_place(self, *, first: bool) -> Handed:
        """A free connection, or None with a place reserved in ``_acquiring``.

        Args:
            first: before all who wait, as who was served already and could not use it.
        """
        if first or not self._waiters:
            if self._free:
                return self._take_free()
            if self._has_room:
                self._acquiring += 1
                return None
        waiter: asyncio.Future[Handed] = self._loop.create_future()
        if first:
            self._waiters.appendleft(waiter)
        else:
            self._waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            # Cancelled after it was served: what it was handed goes to the next.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                handed = waiter.result()
                if handed is None:
                    self._acquiring -= 1
                else:
                    self._used.discard(handed)
                    self._free.append(handed)
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            self._hand_out()
            raise

    def _take_free(self) -> Connection:
        # The one used last is the one most likely to be alive and warm.
        connection: Connection = self._free.pop()
        self._used.add(connection)
        return connection

    def _hand_out(self) -> None:
        """Serve those who wait, as far as there are connections and places."""
        self._came_back.set()
        while self._waiters:
            if self._closing:
                waiter = self._waiters.popleft()
                if not waiter.done():
                    waiter.set_exception(UnavailableError("the database is closed"))
                continue
            if not self._free and not self._has_room:
                return
            waiter = self._waiters.popleft()
            if waiter.done():
                continue
            if self._free:
                waiter.set_result(self._take_free())
            else:
                self._acquiring += 1
                waiter.set_result(None)

    async def _is_fit(self, connection: Connection) -> bool:
        """Make a borrowed connection fit for use; False if it had to be closed."""
        now = self._loop.time()
        old = now - connection.opened_at > self._config.max_lifetime_s
        limit_s = min(_PING_TIMEOUT_S, self._config.connect_timeout_s)
        try:
            if not old and not connection.gone:
                if connection.dirty:
                    async with asyncio.timeout(limit_s):
                        await connection.reset()
                    return True
                idle = now - connection.idle_since > self._config.max_idle_s
                if not idle or await connection.alive(limit_s):
                    return True
        except (DalError, TimeoutError):
            pass
        except BaseException:
            self._drop(connection)
            raise
        connection.close()
        return False

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._used.discard(connection)
        self._hand_out()

    def release(self, conn: Connection) -> Any:
        """Give a borrowed connection back; once more does nothing.

        A statement that may still run on the server, since its task was cancelled or its time was
        up, is killed, and the place is free again when that is done.
        """
        done: asyncio.Future[None] = self._loop.create_future()
        done.set_result(None)
        if conn not in self._used:
            return done
        conn.idle_since = self._loop.time()
        if conn.busy:
            # Another task is in the middle of a statement; it is told that the connection is lost.
            conn.abandon()
        if conn.abandoned:
            task = self._loop.create_task(self._bury(conn))
            self._burying.add(task)
            self._used.discard(conn)
            return done
        if conn.demoted:
            self._leave_server(conn)
        if conn.closed:
            # Where one was lost the others may be too: each is asked before it is used.
            for other in self._free:
                other.idle_since = float("-inf")
        is_left = conn.opened_at < self._left_at
        if conn.closed or self._closing or conn.in_transaction or is_left:
            self._drop(conn)
            return done
        self._used.discard(conn)
        self._free.append(conn)
        self._hand_out()
        return done

    def _leave_server(self, demoted: Connection) -> None:
        """Use no connection again that was opened before: they are of the same server."""
        if demoted.opened_at < self._left_at:
            return
        self._left_at = self._loop.time()
        for other in self._free:
            other.close()
        self._free.clear()
        if self._killer is not None:
            self._killer.close()

    async def _bury(self, connection: Connection) -> None:
        try:
            await self.kill(connection)
        finally:
            task = asyncio.current_task()
            if task is not None:
                self._burying.discard(task)
            self._hand_out()

    async def kill(self, connection: Connection) -> None:
        """End a connection of ours on the server, with what runs on it, from one kept for that.

        KILL, not KILL QUERY: the latter has no effect on a statement that has reached the socket
        and not yet been read by the server, which then runs it to its end.

        Behind one address there may be several servers, where its number is somebody else's: it is
        killed from a connection to its own server alone.
        """
        number = connection.connection_id
        async with self._killer_lock:
            why: object = "a new connection leads to another server"
            for _ in range(2):
                try:
                    if self._killer is None or self._killer.gone:
                        await self._close_killer()
                        self._killer = await Connection.open(self._config)
                    async with asyncio.timeout(self._config.connect_timeout_s):
                        if await self._killer.is_of_server_of(connection):
                            await self._killer.run(f"KILL {number:d}".encode())
                            return
                except ServerError as error:
                    if error.errno != NO_SUCH_CONNECTION:
                        _log.warning("could not kill connection %d: %s", number, error)
                    return
                except (DalError, TimeoutError) as error:
                    why = error
                # Long dead perhaps, or of another server: once more with a new one.
                await self._close_killer()
            limit_s = self._config.statement_timeout_s
            _log.warning(
                "could not kill connection %d, whose statement the server ends by its own limit, "
                "a little over %g s: %s", number, limit_s, why,
            )  # fmt: skip

    async def shut(self) -> None:
        """Close everything: wait for those who use a connection, but not for ever."""
        self.close()
        self._hand_out()
        try:
            while self._free:
                await _say_goodbye(self._free.pop())
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                while self._burying or self._used or self._acquiring:
                    self._came_back.clear()
                    await self._came_back.wait()
            if self._killer is not None:
                await _say_goodbye(self._killer)
        except TimeoutError:
            _log.warning("closed with %d connections in use", len(self._used))
            await self._kill_used()
        finally:
            # Also when this is cancelled: no connection is left behind.
            self.terminate()
            await asyncio.gather(*self._burying, return_exceptions=True)
            self._closed = True

    async def _kill_used(self) -> None:
        """Stop what those who did not come back are still running."""
        busy = [connection for connection in self._used if connection.busy]
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                for connection in busy:
                    await self.kill(connection)
        except TimeoutError:
            _log.warning("up to %d statements still run on the server", len(busy))

    def terminate(self) -> None:
        """Close every connection at once. Statements that run end when the server notices."""
        self.close()
        for task in self._burying:
            task.cancel()
        for connection in [*self._used, *self._free]:
            connection.close()
        self._used.clear()
        self._free.clear()
        if self._killer is not None:
            self._killer.close()
            self._killer = None
        self._hand_out()

    async def wait_closed(self) -> None:
        """The driver's name for the second half of :meth:`shut`; its own waits for ever."""
        if not self._closed:
            await self.shut()


async def _say_goodbye(connection: Connection) -> None:
    try:
        async with asyncio.timeout(_GOODBYE_TIMEOUT_S):
            await connection.ensure_closed()
    except OSError:
        pass
    finally:
        connection.close()
