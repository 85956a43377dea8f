"""What the filled tables share: when it is, who is who, how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

__all__ = [
    "NOBODY",
    "NOW",
    "OWNER",
    "START",
    "STRANGER",
    "Row",
    "Tables",
    "n_templates",
    "n_users",
    "row_id",
]

_USERS, _TEMPLATES = 100, 500

Row = Mapping[str, object]
"""Column -> value."""

Tables = Mapping[str, Callable[[int], Iterator[Row]]]
"""Table -> its rows at a size; parents first."""

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of the first row."""

NOW: Final = START + timedelta(days=100)
"""The time at which the rows are looked at: locks and tokens end before it and after it."""

OWNER: Final = 0
"""Number of the live user who owns a tenth of all templates, and has a trash."""

STRANGER: Final = 1
"""Number of a live user who owns nothing and did nothing."""

NOBODY: Final = UUID(int=1)
"""An id that no row has."""


def n_users(factor: int) -> int:
    """How many users there are at a size, the deleted ones too."""
    return _USERS * factor


def n_templates(factor: int) -> int:
    """How many templates there are at a size, the deleted ones too."""
    return _TEMPLATES * factor


def row_id(table: int, n: int) -> UUID:
    """A UUIDv7 that ascends with ``n``, as ids of rows made one after the other do."""
    milliseconds = int((START + timedelta(seconds=n)).timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | table << 64 | 0b10 << 62 | n)
