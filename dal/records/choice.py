"""A member of an enum, by its value, where a caller says it."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from dal.errors import ValueRejectedError

__all__ = ["choice"]

E = TypeVar("E", bound=StrEnum)


def choice(field: str, kind: type[E], value: object) -> E:
    """The member of ``kind`` with this value.

    Raises:
        ValueRejectedError: there is none; ``field`` is named, with what there is.
    """
    try:
        return kind(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError(f"{field}: one of {', '.join(kind)}", field=field) from None
