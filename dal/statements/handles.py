"""Typed handles of statements: what a gateway holds, and a session runs.

A handle joins a statement with the record its rows become. It is made while a module is imported,
so a file whose ``returns`` is another stops the import, not a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

import attrs

from dal.errors import StatementError
from dal.statements.decode import Decoder
from dal.statements.statement import BulkPlan, Statement

__all__ = ["Affected", "Bulk", "Dynamic", "Find", "Handle", "LastId", "Many", "One", "Value"]

R = TypeVar("R")


class Handle:
    """A statement with a way to use it."""

    __slots__ = ("statement",)
    verb: str

    def __init__(self, statement: Statement) -> None:
        self.statement = statement

    @property
    def name(self) -> str:
        """``table/method``."""
        return self.statement.name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class _Rows(Handle, Generic[R]):
    """A handle of a statement that gives rows."""

    __slots__ = ("decoder", "record")

    def __init__(self, statement: Statement, record: type[R]) -> None:
        super().__init__(statement)
        header = statement.header
        if header.record != record.__name__:
            raise StatementError(
                f"{statement.name}: returns: {header.record}, the handle makes {record.__name__}",
                statement=statement.name,
            )
        self.record = record
        try:
            self.decoder = Decoder(statement.name, record)
        except StatementError as error:
            raise StatementError(
                f"{statement.name}: {error.message}", statement=statement.name
            ) from None


class One(_Rows[R]):
    """Exactly one row, NotFoundError without."""

    __slots__ = ()
    verb = "one"


class Find(_Rows[R]):
    """One row or None."""

    __slots__ = ()
    verb = "find"


class Many(_Rows[R]):
    """Rows in the order that the statement gives them."""

    __slots__ = ()
    verb = "many"


class Value(_Rows[R]):
    """One row of one column."""

    __slots__ = ()
    verb = "value"


class Affected(Handle):
    """How many rows the statement matched."""

    __slots__ = ()
    verb = "affected"


class LastId(Handle):
    """What the statement left in LAST_INSERT_ID(...), or None where it matched no row."""

    __slots__ = ()
    verb = "last_id"


class Bulk(Handle):
    """An INSERT of one row of VALUES, sent with many."""

    __slots__ = ("plan",)
    verb = "affected"

    def __init__(self, statement: Statement) -> None:
        super().__init__(statement)
        if statement.bulk is None:
            raise StatementError(
                f"{statement.name}: a bulk INSERT ends in one row of VALUES",
                statement=statement.name,
            )
        self.plan: BulkPlan = statement.bulk


@attrs.frozen(slots=True)
class Dynamic(Generic[R]):
    """A statement that the search built, with its values."""

    handle: Many[R]
    values: Mapping[str, object]
