"""Records for tests: what is not said is None, nothing, or the first there is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import uuid4

from dal.statements.decode import Field, fields_of

__all__ = ["record"]

R = TypeVar("R")

_PLAIN: Final[dict[type, object]] = {
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
    date: date(2026, 1, 1),
    Decimal: Decimal(0),
}


def _default(field: Field) -> object:
    if field.nullable:
        return None
    if field.is_enum:
        return next(iter(field.type))
    if field.type in _PLAIN:
        return _PLAIN[field.type]
    # int, str, bytes, frozenset[str] ... make nothing of themselves; a UUID is a new one.
    return uuid4() if field.type.__name__ == "UUID" else field.type()


def record(of: type[R], **fields: Any) -> R:
    """A record of which these fields are said."""
    return of(**{**{field.name: _default(field) for field in fields_of(of)}, **fields})
