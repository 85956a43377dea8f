"""Rows of text from the wire -> records, by a function that is generated once for each statement.

Columns arrive as ``str``, or as ``bytes`` where the column is binary, or as None. What a field may
be is a closed map: a type that is not in it is refused while the handle is made.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import attrs

from dal.errors import RowShapeError, StatementError
from dal.records.usage import ModelPrice, prices_from_json
from dal.records.variables import Variable, variables_from_json

__all__ = ["FIELD_FAMILIES", "Decoder", "Field", "RawRow", "fields_of"]

R = TypeVar("R")
RawRow = Sequence[str | bytes | None]

# Field type -> the expression that makes it of a column {0} that is not NULL.
_EXPRESSIONS: Final[dict[object, str]] = {
    UUID: "UUID(bytes={0})",
    str: "{0}",
    bytes: "{0}",
    int: "int({0})",
    bool: "_BOOL[{0}]",
    float: "float({0})",
    Decimal: "Decimal({0})",
    datetime: "_fromiso({0} + '+00:00')",
    date: "_date({0})",
    frozenset[str]: "_words({0})",
    tuple[Variable, ...]: "_variables({0})",
    tuple[ModelPrice, ...]: "_prices({0})",
    dict[str, Any]: "_loads({0})",
}
# Field type -> families of columns (see dal.testing.prepare) that may stand behind it.
FIELD_FAMILIES: Final[dict[object, frozenset[str]]] = {
    UUID: frozenset({"binary"}),
    str: frozenset({"text", "enum"}),
    bytes: frozenset({"binary"}),
    int: frozenset({"integer"}),
    bool: frozenset({"integer"}),
    float: frozenset({"float"}),
    Decimal: frozenset({"decimal"}),
    datetime: frozenset({"temporal"}),
    date: frozenset({"temporal"}),
    frozenset[str]: frozenset({"json", "text"}),
    tuple[Variable, ...]: frozenset({"json", "text"}),
    tuple[ModelPrice, ...]: frozenset({"json", "text"}),
    dict[str, Any]: frozenset({"json", "text"}),
}


@attrs.frozen(slots=True)
class Field:
    """A field of a record: its name, its type without None, and whether None is allowed."""

    name: str
    type: Any
    nullable: bool

    @property
    def is_enum(self) -> bool:
        """Whether the column's text is a member's value."""
        return isinstance(self.type, type) and issubclass(self.type, Enum)

    @property
    def families(self) -> frozenset[str]:
        """The families of columns that may stand behind this field."""
        return frozenset({"enum", "text"}) if self.is_enum else FIELD_FAMILIES[self.type]


def _field(name: str, hint: Any) -> Field:
    nullable = False
    if typing.get_origin(hint) in (typing.Union, UnionType):
        members = [member for member in typing.get_args(hint) if member is not NoneType]
        if len(members) != 1 or len(members) == len(typing.get_args(hint)):
            raise StatementError(f"{name}: a field has one type, or one type and None")
        nullable, hint = True, members[0]
    field = Field(name, hint, nullable)
    if not field.is_enum and hint not in _EXPRESSIONS:
        raise StatementError(f"{name}: no column is read as {hint}")
    return field


def fields_of(record: type) -> tuple[Field, ...]:
    """The fields of an attrs class, in order, or the one nameless field of a plain type.

    Raises:
        StatementError: a field has a type that no column is read as.
    """
    if not attrs.has(record):
        return (_field("", record),)
    hints = typing.get_type_hints(record)
    return tuple(_field(a.name, hints[a.name]) for a in attrs.fields(record))


def _null(name: str) -> Any:
    raise RowShapeError(f"{name}: NULL, where the record has no None")


def _words(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))


def _variables(text: str) -> tuple[Variable, ...]:
    return variables_from_json(json.loads(text))


def _prices(text: str) -> tuple[ModelPrice, ...]:
    return prices_from_json(json.loads(text))


class Decoder(Generic[R]):
    """Makes records of type ``R`` of raw rows."""

    def __init__(self, statement: str, record: type[R]) -> None:
        self._statement = statement
        self._record = record
        self.fields = fields_of(record)
        self.names = tuple(field.name for field in self.fields)
        self._is_record = attrs.has(record)
        self._row = self._compile()

    def _compile(self) -> Callable[[RawRow], R]:
        scope: dict[str, Any] = {
            "UUID": UUID,
            "Decimal": Decimal,
            "_BOOL": {"0": False, "1": True},
            "_fromiso": datetime.fromisoformat,
            "_date": date.fromisoformat,
            "_words": _words,
            "_variables": _variables,
            "_prices": _prices,
            "_loads": json.loads,
            "_null": _null,
            "_record": self._record,
        }
        columns, arguments = [], []
        for i, field in enumerate(self.fields):
            column = f"c{i}"
            columns.append(column)
            if field.is_enum:
                scope[f"_enum{i}"] = {str(member.value): member for member in field.type}
                made = f"_enum{i}[{column}]"
            else:
                made = _EXPRESSIONS[field.type].format(column)
            otherwise = "None" if field.nullable else f"_null({field.name!r})"
            arguments.append(f"{otherwise} if {column} is None else {made}")
        # The source is made of our own expressions and of field names that are identifiers.
        call = f"_record({', '.join(arguments)})" if self._is_record else arguments[0]
        source = f"def row(raw):\n    {', '.join(columns)}, = raw\n    return {call}\n"
        exec(compile(source, f"<decoder of {self._statement}>", "exec"), scope)  # noqa: S102
        made_row: Callable[[RawRow], R] = scope["row"]
        return made_row

    def check_columns(self, names: Sequence[str]) -> None:
        """Refuse a result whose columns are not the record's fields, in order.

        Raises:
            RowShapeError: they differ.
        """
        if self._is_record:
            if tuple(names) != self.names:
                raise RowShapeError(
                    f"columns {list(names)} do not fit {self._record.__name__} {list(self.names)}",
                    statement=self._statement,
                )
        elif len(names) != 1:
            raise RowShapeError("one column is required", statement=self._statement)

    def rows(self, raw_rows: Sequence[RawRow]) -> list[R]:
        """The records of ``raw_rows``.

        Raises:
            RowShapeError: a column holds what its field cannot; the column is named, not its value.
        """
        make = self._row
        try:
            return [make(raw) for raw in raw_rows]
        except RowShapeError as error:
            error.statement = self._statement
            raise
        except (TypeError, ValueError, KeyError, ArithmeticError):
            raise RowShapeError(
                f"a row does not fit {self._record.__name__}: {self._culprit(raw_rows)}",
                statement=self._statement,
            ) from None

    def _culprit(self, raw_rows: Sequence[RawRow]) -> str:
        """The first column that cannot be read as its field."""
        for raw in raw_rows:
            for field, value in zip(self.fields, raw, strict=False):
                try:
                    Decoder("", _single(field))._row((value,))
                except Exception:  # noqa: BLE001  any failure names the column
                    return f"{field.name} is no {getattr(field.type, '__name__', field.type)}"
        return "the number of columns differs"


def _single(field: Field) -> Any:
    return field.type | None if field.nullable else field.type
