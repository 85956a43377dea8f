"""What all sessions of a database share: the pool, the clock, the hook, the limits."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

import attrs

from dal.config import Config
from dal.errors import (
    DalError,
    StatementTimeoutError,
    UsageError,
    ValueRejectedError,
)
from dal.records.clock import Clock
from dal.session.connection import Connection, RawResult
from dal.session.pool import Pool
from dal.statements.statement import Rendered

if TYPE_CHECKING:
    from dal.session.transaction import Transaction

__all__ = ["Core", "OnStatement"]

_log = logging.getLogger("dal")


class OnStatement(Protocol):
    """Called after each statement, also a failed one. Never sees a value."""

    def __call__(
        self,
        name: str,
        engine: str,
        elapsed_s: float,
        rows: int,
        attempt: int,
        error: BaseException | None,
    ) -> None:
        """``name`` is the file, or ``transaction/...``; ``rows`` were given or matched."""
        ...


@attrs.define(slots=True, kw_only=True, eq=False)
class Core:
    """The engine room of a Database."""

    config: Config
    pool: Pool
    clock: Clock
    on_statement: OnStatement | None = None
    engine: str = ""
    version: tuple[int, int, int] = (0, 0, 0)
    max_allowed_packet: int = 0
    open_by_task: WeakKeyDictionary[asyncio.Task[object], Transaction] = attrs.field(
        factory=WeakKeyDictionary, repr=False
    )

    def refuse_second_connection(self) -> None:
        """Nothing asks for a second connection while its task holds one.

        A few tasks that each hold one and wait for another empty the pool for ever.

        Raises:
            UsageError: this task has a transaction open.
        """
        task = asyncio.current_task()
        if task is not None and task in self.open_by_task:
            raise UsageError(
                "a transaction is open in this task: use the session that begin() gave, "
                "not the one it was begun from"
            )

    async def exchange(
        self,
        connection: Connection,
        name: str,
        rendered: Rendered,
        *,
        deadline: float | None,
        attempt: int,
    ) -> RawResult:
        """Run one statement on a connection, within its time limit, and tell the hook.

        Raises:
            StatementTimeoutError: the time was up; the connection is closed.
            ValueRejectedError: the values are more than the server's max_allowed_packet.
            DalError: what the server said.
        """
        # One byte for the command, and the server refuses a packet of exactly the maximum.
        if len(rendered.sql) + 2 > connection.max_allowed_packet:
            field = max(rendered.sizes, key=lambda n: rendered.sizes[n], default=None)
            raise ValueRejectedError(
                f"{field}: more than the server takes in one packet "
                f"({connection.max_allowed_packet} bytes)",
                field=field,
                statement=name,
            )
        limit_s = self.config.statement_timeout_s
        if deadline is not None:
            limit_s = min(limit_s, deadline - asyncio.get_running_loop().time())
        started = time.perf_counter()
        rows = 0
        failure: BaseException | None = None
        try:
            if limit_s <= 0:
                raise StatementTimeoutError("the deadline had passed: not sent", statement=name)
            try:
                async with asyncio.timeout(limit_s):
                    result = await connection.run(rendered.sql)
            except TimeoutError:
                raise StatementTimeoutError(
                    f"stopped at its time limit of {limit_s:.3g} s", statement=name
                ) from None
            rows = len(result.rows) if result.columns else result.affected
            return result
        except BaseException as error:
            failure = error
            if isinstance(error, DalError) and error.statement is None:
                error.statement = name
            raise
        finally:
            if self.on_statement is not None:
                elapsed_s = time.perf_counter() - started
                try:
                    self.on_statement(name, connection.engine, elapsed_s, rows, attempt, failure)
                except Exception:  # noqa: BLE001
                    # An observer must not change what it observes.
                    _log.exception("on_statement failed")
