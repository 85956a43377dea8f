"""An actor's way to the server: the verbs, and how transactions are begun and repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

from dal.config import Config
from dal.errors import StatementTimeoutError, TransientError, UsageError
from dal.records.actor import Actor
from dal.records.clock import Clock
from dal.session.core import Core
from dal.session.executor import Executor, backoff
from dal.session.transaction import AfterEnd, Isolation, Transaction, transaction

__all__ = ["Isolation", "Scope"]

T = TypeVar("T")


class Scope(Executor):
    """What a repository is built on: an actor, the clock, and a transaction or none."""

    def __init__(
        self,
        core: Core,
        actor: Actor,
        *,
        tx: Transaction | None = None,
        deadline: float | None = None,
    ) -> None:
        super().__init__(core, tx, deadline)
        self.actor = actor

    def __repr__(self) -> str:
        where = " in a transaction" if self.in_transaction else ""
        return f"<{type(self).__name__} of {self.actor.type} {self.actor.id or ''}{where}>"

    @property
    def clock(self) -> Clock:
        """The database's one clock."""
        return self._core.clock

    @property
    def config(self) -> Config:
        """The settings of the database."""
        return self._core.config

    @property
    def in_transaction(self) -> bool:
        """Whether this session is the one that ``begin()`` gave."""
        return self._tx is not None

    def within(self, seconds: float) -> Self:
        """The same session with a deadline: all it does must end within this time from now.

        A statement that is over its time is stopped on the server too.
        """
        if seconds <= 0:
            raise UsageError("within() takes a time greater than 0, in seconds")
        deadline = asyncio.get_running_loop().time() + seconds
        if self._deadline is not None:
            deadline = min(deadline, self._deadline)
        return type(self)(self._core, self.actor, tx=self._tx, deadline=deadline)

    async def in_time(self, work: Awaitable[T]) -> T:
        """The result of what is no statement, within the deadline of :meth:`within`.

        Raises:
            StatementTimeoutError: the deadline passed; the work is cancelled.
        """
        try:
            async with asyncio.timeout_at(self._deadline):
                return await work
        except TimeoutError:
            raise StatementTimeoutError("the deadline has passed") from None

    def on(self, tx: Transaction) -> Self:
        """The same actor on another transaction."""
        return type(self)(self._core, self.actor, tx=tx, deadline=self._deadline)

    @asynccontextmanager
    async def begin(self, *, isolation: Isolation | None = None) -> AsyncIterator[Self]:
        """A transaction: committed when the block ends, rolled back when it raises.

        Inside a transaction it is a savepoint, and only the block is undone. READ COMMITTED unless
        ``isolation`` says otherwise. Nothing is repeated here; see :meth:`run`.

        Raises:
            UsageError: a transaction is open in this task and this is not its session; an
                isolation for a savepoint.
            OutcomeUnknownError: the connection was lost during COMMIT.
        """
        if self._tx is not None:
            if isolation is not None:
                raise UsageError("the isolation level is chosen where the transaction begins")
            async with self._tx.savepoint():
                yield self
            return
        async with transaction(self._core, isolation=isolation, deadline=self._deadline) as tx:
            yield self.on(tx)

    async def run(
        self,
        work: Callable[..., Awaitable[T]],
        *args: Any,
        attempts: int = 3,
        isolation: Isolation | None = None,
    ) -> T:
        """``await work(tx, *args)`` in a transaction, again from the start on a transient error.

        ``work`` may run ``attempts`` times, so it must change nothing but the database. Inside a
        transaction it runs once, in a savepoint: only the whole can be repeated.

        Raises:
            TransientError: the last attempt failed too.
            OutcomeUnknownError: the connection was lost during COMMIT; not repeated.
        """
        if attempts < 1:
            raise UsageError("attempts: 1 or more")
        if self._tx is not None:
            async with self.begin(isolation=isolation) as tx:
                return await work(tx, *args)
        for attempt in range(1, attempts):
            try:
                return await self._attempt(work, args, isolation, attempt, will_retry=True)
            except TransientError:
                await backoff(attempt)
        return await self._attempt(work, args, isolation, attempts, will_retry=False)

    async def _attempt(
        self,
        work: Callable[..., Awaitable[T]],
        args: tuple[Any, ...],
        isolation: Isolation | None,
        attempt: int,
        *,
        will_retry: bool,
    ) -> T:
        async with transaction(
            self._core,
            isolation=isolation,
            deadline=self._deadline,
            attempt=attempt,
            will_retry=will_retry,
        ) as tx:
            return await work(self.on(tx), *args)

    @property
    def reads_from_a_snapshot(self) -> bool:
        """Whether a plain read may give what somebody has changed since."""
        return self._tx is not None and self._tx.isolation == "REPEATABLE READ"

    @property
    def attempt(self) -> int:
        """Which attempt at its transaction this is: above 1 after a transient error."""
        return 1 if self._tx is None else self._tx.attempt

    def after_end(self, write: AfterEnd) -> None:
        """Write something after the transaction, however it ends, on its connection.

        Raises:
            UsageError: outside a transaction.
        """
        if self._tx is None:
            raise UsageError("after_end() belongs to a transaction")
        self._tx.after_end.append(write)
