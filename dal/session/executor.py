"""Running handles: the verbs of the .sql headers, in or out of a transaction."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import TypeVar

from dal.errors import (
    ConnectionLostError,
    NotFoundError,
    OutcomeUnknownError,
    RowShapeError,
    StatementTimeoutError,
    TransientError,
    UsageError,
    ValueRejectedError,
)
from dal.session.connection import RawResult
from dal.session.core import Core
from dal.session.transaction import Transaction
from dal.statements import Affected, Bulk, Dynamic, Find, Handle, LastId, Many, One, Value
from dal.statements.statement import Rendered

__all__ = ["Executor", "backoff"]

R = TypeVar("R")

_CHUNK_BYTES = 1 << 20
_ATTEMPTS = 3
_FIRST_WAIT_S = 0.01


async def backoff(attempt: int) -> None:
    """Wait a random part of a time that doubles: those who collided must not meet again."""
    await asyncio.sleep(random.uniform(0, _FIRST_WAIT_S * 2**attempt))  # noqa: S311


class Executor:
    """Runs handles for one actor's session, on the transaction's connection or on one of the pool.

    Outside a transaction a read is repeated after a transient error. A write is repeated after a
    deadlock or a lock that was not granted, and is of unknown outcome when the connection is lost
    or its time is up after it was sent.
    """

    def __init__(self, core: Core, tx: Transaction | None, deadline: float | None) -> None:
        self._core = core
        self._tx = tx
        self._deadline = deadline

    async def one(self, handle: One[R], **values: object) -> R:
        """The one row of the statement.

        Raises:
            NotFoundError: there is none.
        """
        row = self._at_most_one(handle.name, handle.decoder.rows(await self._rows(handle, values)))
        if row is None:
            raise NotFoundError("no such row for this actor", statement=handle.name)
        return row

    async def find(self, handle: Find[R], **values: object) -> R | None:
        """The one row of the statement, or None."""
        return self._at_most_one(handle.name, handle.decoder.rows(await self._rows(handle, values)))

    async def many(self, handle: Many[R], **values: object) -> list[R]:
        """The rows, in the order that the statement gives them."""
        return handle.decoder.rows(await self._rows(handle, values))

    async def search(self, query: Dynamic[R]) -> list[R]:
        """The rows of a statement that the search built."""
        return await self.many(query.handle, **query.values)

    async def value(self, handle: Value[R], **values: object) -> R:
        """The one value of the statement.

        Raises:
            NotFoundError: there is no row.
        """
        rows = handle.decoder.rows(await self._rows(handle, values))
        value = self._at_most_one(handle.name, rows)
        if value is None:
            raise NotFoundError("no row", statement=handle.name)
        return value

    async def affected(self, handle: Affected, **values: object) -> int:
        """How many rows matched; a row that already has the new values counts."""
        return (await self._run(handle, values)).affected

    async def last_id(self, handle: LastId, **values: object) -> int | None:
        """What the statement left in LAST_INSERT_ID(...); None where no row matched."""
        result = await self._run(handle, values)
        # Without a matching row the server repeats a number of an earlier statement.
        return result.last_id if result.affected else None

    async def insert_many(self, handle: Bulk, rows: Iterable[Mapping[str, object]]) -> int:
        """Insert the rows, in statements of about 1 MiB; returns how many were inserted.

        Raises:
            UsageError: outside a transaction, where half of it could stay.
            ValueRejectedError: a value does not fit its column, or a row the server's packet.
        """
        if self._tx is None:
            raise UsageError(f"{handle.name}: rows are inserted inside a transaction")
        plan = handle.plan
        fixed = len(plan.head.encode()) + len(plan.tail.encode())
        most = min(_CHUNK_BYTES, self._core.max_allowed_packet - 1024) - fixed
        chunk: list[str] = []
        size = inserted = 0
        for values in rows:
            row = handle.statement.render_row(values)
            n_bytes = len(row.encode()) + 1
            if fixed + n_bytes + 2 > self._core.max_allowed_packet:
                field = max(values, key=lambda name: len(str(values[name])))
                raise ValueRejectedError(
                    f"{field}: more than the server takes in one packet "
                    f"({self._core.max_allowed_packet} bytes)",
                    field=field,
                    statement=handle.name,
                )
            if chunk and size + n_bytes > most:
                inserted += await self._insert_chunk(handle, chunk)
                chunk, size = [], 0
            chunk.append(row)
            size += n_bytes
        if chunk:
            inserted += await self._insert_chunk(handle, chunk)
        return inserted

    async def _insert_chunk(self, handle: Bulk, chunk: list[str]) -> int:
        sql = f"{handle.plan.head}{','.join(chunk)}{handle.plan.tail}".encode()
        return (await self._send(handle, Rendered(sql, {}))).affected

    async def stream(
        self,
        handle: Many[R],
        following: Callable[[R], Mapping[str, object]],
        **values: object,
    ) -> AsyncIterator[R]:
        """All rows of a list that pages by key, a page at a time; no cursor stays open.

        Args:
            following: the key parameters of the page after a row.
            values: those of the first page, ``limit_rows`` among them.
        """
        limit = values.get("limit_rows")
        if not isinstance(limit, int) or limit < 1:
            raise UsageError(f"{handle.name}: a stream needs limit_rows, 1 or more")
        while True:
            rows = await self.many(handle, **values)
            for row in rows:
                yield row
            if len(rows) < limit:
                return
            values.update(following(rows[-1]))

    @staticmethod
    def _at_most_one(name: str, rows: list[R]) -> R | None:
        if len(rows) > 1:
            raise RowShapeError(f"{len(rows)} rows, where one is the most", statement=name)
        return rows[0] if rows else None

    async def _rows(
        self, handle: One[R] | Find[R] | Many[R] | Value[R], values: Mapping[str, object]
    ) -> tuple[tuple[str | bytes | None, ...], ...]:
        result = await self._run(handle, values)
        if result.columns:
            handle.decoder.check_columns(result.columns)
        return result.rows

    async def _run(self, handle: Handle, values: Mapping[str, object]) -> RawResult:
        rendered = handle.statement.render(values)
        if rendered.empty_list:
            return RawResult((), (), 0, 0, 0)
        return await self._send(handle, rendered)

    async def _send(self, handle: Handle, rendered: Rendered) -> RawResult:
        if self._tx is not None:
            return await self._tx.run(handle.name, rendered, self._deadline)
        self._core.refuse_second_connection()
        if handle.statement.locking:
            raise UsageError(f"{handle.name}: locks rows, which only a transaction can hold")
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._send_alone(handle, rendered, attempt)
            except TransientError as error:
                if isinstance(error, ConnectionLostError) and handle.statement.writes:
                    raise OutcomeUnknownError(
                        "the connection was lost while the statement ran",
                        statement=handle.name,
                        errno=error.errno,
                        sqlstate=error.sqlstate,
                    ) from error
                if attempt == _ATTEMPTS:
                    raise
            await backoff(attempt)
        raise AssertionError("unreachable")

    async def _send_alone(self, handle: Handle, rendered: Rendered, attempt: int) -> RawResult:
        core = self._core
        remaining_s = None
        if self._deadline is not None:
            remaining_s = self._deadline - asyncio.get_running_loop().time()
        connection = await core.pool.borrow(remaining_s)
        try:
            return await core.exchange(
                connection, handle.name, rendered, deadline=self._deadline, attempt=attempt
            )
        except StatementTimeoutError as error:
            if handle.statement.writes and connection.abandoned:
                # Sent, and committed by itself if the server was done before it was stopped.
                raise OutcomeUnknownError(
                    "stopped at its time limit, after it was sent", statement=handle.name
                ) from error
            raise
        finally:
            core.pool.release(connection)
