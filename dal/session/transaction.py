"""Transactions, tracked by us: the client library's flag is wrong after a deadlock, and a second
BEGIN would commit the first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, TypeVar

from dal.errors import (
    ConnectionLostError,
    DalError,
    OutcomeUnknownError,
    StatementTimeoutError,
    TransientError,
    UsageError,
)
from dal.session.connection import Connection, RawResult
from dal.session.core import Core
from dal.statements.statement import Rendered

__all__ = ["AfterEnd", "Isolation", "Transaction", "transaction", "uninterrupted"]

_log = logging.getLogger("dal")
_END_TIMEOUT_S = 10.0

T = TypeVar("T")
Isolation = Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
_ISOLATION: Final[dict[str, str]] = {
    level: f"SET TRANSACTION ISOLATION LEVEL {level}"
    for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
}


class Transaction:
    """A connection while one transaction has it.

    After a deadlock, a lock that was not granted, a time limit or a lost connection it is dead:
    the server may have rolled back all of it or one statement, so nothing more may run in it and
    nothing of it is committed.

    Args:
        after: this is not the transaction itself but what is written after it, statement by
            statement; the deadlines of the caller are over and do not count.
    """

    def __init__(
        self,
        core: Core,
        connection: Connection,
        *,
        attempt: int,
        after: bool = False,
        isolation: Isolation | None = None,
    ) -> None:
        self.isolation = isolation
        self.core = core
        self.connection = connection
        self.attempt = attempt
        self._after = after
        self.dead: DalError | None = None
        self.ended = False
        self.after_end: list[AfterEnd] = []
        self._n_savepoints = 0
        self._parts: list[asyncio.Task[Any] | None] = []

    async def run(self, name: str, rendered: Rendered, deadline: float | None) -> RawResult:
        """Run one statement in the transaction.

        Raises:
            UsageError: the transaction has ended.
            DalError: what the server said; a dead transaction repeats what killed it.
        """
        if self.ended:
            raise UsageError(f"{name}: the transaction has ended")
        if self.dead is not None:
            raise self.dead
        if self._after:
            deadline = None
        try:
            return await self.core.exchange(
                self.connection, name, rendered, deadline=deadline, attempt=self.attempt
            )
        except (TransientError, StatementTimeoutError) as error:
            self.dead = error
            raise
        except BaseException:
            if self.connection.closed:
                self.dead = ConnectionLostError("the connection is closed", statement=name)
            raise

    async def command(self, sql: str, name: str, deadline: float | None = None) -> None:
        """Run one of the fixed statements that steer the transaction itself."""
        await self.run(f"transaction/{name}", Rendered(sql.encode(), {}), deadline)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that is undone alone if it fails.

        Names come from a counter: a name used again while it lives loses full-text rows.
        """
        task = asyncio.current_task()
        if self._parts and self._parts[-1] is not task:
            raise UsageError("two tasks use one transaction: each task begins its own")
        self._n_savepoints += 1
        name = f"sp_{self._n_savepoints}"
        await self.command(f"SAVEPOINT {name}", "savepoint")
        self._parts.append(task)
        try:
            yield
        except BaseException:
            if self.dead is None and not self.ended:
                await uninterrupted(self._undo(name))
            raise
        finally:
            self._parts.pop()
        if self.dead is not None:
            raise self.dead
        await self.command(f"RELEASE SAVEPOINT {name}", "release_savepoint")

    async def _undo(self, savepoint: str) -> None:
        try:
            await self.command(f"ROLLBACK TO SAVEPOINT {savepoint}", "rollback_to_savepoint")
        except DalError as error:
            # Part of what was to be undone is still there: it must not be committed.
            self.dead = self.dead or error
            raise

    async def commit(self) -> None:
        """Make it durable.

        Raises:
            OutcomeUnknownError: the connection was lost meanwhile.
            TransientError: the server refused, or had hung up before; nothing was changed.
        """
        if self.connection.gone:
            raise ConnectionLostError("lost before COMMIT was sent", statement="transaction/commit")
        try:
            await self.command("COMMIT", "commit")
        except (ConnectionLostError, StatementTimeoutError) as error:
            raise OutcomeUnknownError(
                "the connection was lost during COMMIT: read by id before you repeat",
                statement=error.statement,
                errno=error.errno,
                sqlstate=error.sqlstate,
            ) from error

    async def rollback(self) -> None:
        """Undo all of it. A connection that is gone was rolled back by the server."""
        if self.connection.closed:
            return
        # A dead transaction is still open on the server after a lock timeout.
        self.dead = None
        limit = asyncio.get_running_loop().time() + _END_TIMEOUT_S
        try:
            await self.command("ROLLBACK", "rollback", limit)
        except ConnectionLostError:
            pass  # closed, and nothing runs any more
        except DalError:
            self.connection.abandon()


AfterEnd = Callable[["Transaction"], Awaitable[None]]
"""What is to be written after a transaction, however it ended, on its own connection."""


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Finish ``work`` even if this task is cancelled meanwhile, then be cancelled."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled() and task.exception() is not None:
            _log.debug("failed while it was cancelled: %r", task.exception())
        raise cancelled
    return task.result()


async def _write_after(core: Core, ended: Transaction) -> None:
    """Write what survives the transaction, each in a transaction of its own."""
    connection = ended.connection
    n_left = len(ended.after_end)
    try:
        async with asyncio.timeout(_END_TIMEOUT_S):
            if connection.closed:
                # Its place first: with a pool of one there would be no other to wait for.
                core.pool.release(connection)
                connection = await core.pool.borrow()
            for write in ended.after_end:
                try:
                    await write(Transaction(core, connection, attempt=1, after=True))
                    n_left -= 1
                except Exception as error:  # noqa: BLE001
                    # How the transaction itself ended is what the caller must hear.
                    _log.error("an entry was lost after a transaction: %s", _told(error))
    except (DalError, TimeoutError) as error:
        _log.error("%d entries were lost after a transaction: %s", n_left, _told(error))
    finally:
        if connection is not ended.connection:
            core.pool.release(connection)


def _told(error: Exception) -> str:
    """What may be said of it in a log: the text of somebody else's error may hold a value."""
    return str(error) if isinstance(error, DalError) else type(error).__name__


@asynccontextmanager
async def transaction(
    core: Core,
    *,
    isolation: Isolation | None = None,
    deadline: float | None = None,
    attempt: int = 1,
    will_retry: bool = False,
) -> AsyncIterator[Transaction]:
    """A transaction from START to COMMIT or ROLLBACK, on a connection of its own.

    Args:
        isolation: READ COMMITTED unless asked otherwise.
        will_retry: on a transient error the caller runs all of it again, so what was to be
            written after the end is dropped with the rest of this attempt.

    Raises:
        UsageError: this task has a transaction open, or there is no such isolation level.
        UnavailableError: no connection was had; nothing was sent.
        OutcomeUnknownError: the connection was lost during COMMIT.
    """
    if isolation is not None and isolation not in _ISOLATION:
        raise UsageError(f"isolation: one of {', '.join(_ISOLATION)}")
    core.refuse_second_connection()
    remaining_s = None if deadline is None else deadline - asyncio.get_running_loop().time()
    connection = await core.pool.borrow(remaining_s)
    tx = Transaction(core, connection, attempt=attempt, isolation=isolation)
    task = asyncio.current_task()
    if task is not None:
        core.open_by_task[task] = tx
    started = False
    failure: BaseException | None = None
    try:
        try:
            if isolation is not None:
                await tx.command(_ISOLATION[isolation], "isolation", deadline)
            await tx.command("START TRANSACTION", "start", deadline)
            started = True
            yield tx
            if tx.dead is not None:
                # Somebody caught what killed it; what is left must not be committed.
                raise tx.dead
            if deadline is not None and asyncio.get_running_loop().time() >= deadline:
                raise StatementTimeoutError("the deadline had passed: rolled back")
            await uninterrupted(tx.commit())
        except BaseException as error:
            failure = error
            if not started:
                # The level of the next transaction may be set already.
                connection.dirty = True
            await uninterrupted(tx.rollback())
            raise
        finally:
            tx.ended = True
            if tx.after_end and not (will_retry and isinstance(failure, TransientError)):
                await uninterrupted(_write_after(core, tx))
    finally:
        if task is not None:
            core.open_by_task.pop(task, None)
        core.pool.release(connection)
