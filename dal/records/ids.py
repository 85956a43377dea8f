"""Ids: UUIDv7, made by the client, so that a caller can name a row before it is there and retry."""

from __future__ import annotations

import os
import threading
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from dal.errors import ValueRejectedError

__all__ = ["MAX_ID", "check_id", "derived_id", "new_id", "optional_id"]

MAX_ID = UUID(int=2**128 - 1)
"""Greater than every id: where a page that starts at the top starts."""

_VERSION_7 = 0x7 << 76
_VERSION_8 = 0x8 << 76
_VARIANT = 0b10 << 62


class _Generator:
    """RFC 9562, section 6.2, method 1: a 42-bit counter behind the millisecond.

    The counter starts at a random value with its top bit clear in each new millisecond, so that
    ids of one process ascend strictly, however many a millisecond brings, and stay unguessable by
    32 random bits each.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._milliseconds = 0
        self._counter = 0

    def next(self, milliseconds: int) -> UUID:
        with self._lock:
            if milliseconds > self._milliseconds:
                self._milliseconds = milliseconds
                self._counter = int.from_bytes(os.urandom(6)) >> 7
            else:
                # A clock that stands still or goes back still gives greater ids.
                self._counter += 1
                if self._counter >> 42:
                    self._milliseconds += 1
                    self._counter = int.from_bytes(os.urandom(6)) >> 7
            milliseconds, counter = self._milliseconds, self._counter
        rand_a, counter_low = counter >> 30, counter & 0x3FFFFFFF
        tail = (counter_low << 32) | int.from_bytes(os.urandom(4))
        return UUID(int=(milliseconds << 80) | _VERSION_7 | (rand_a << 64) | _VARIANT | tail)


_generator = _Generator()


def new_id(now: datetime) -> UUID:
    """A new UUIDv7 of this time; ids of one process are strictly ascending."""
    return _generator.next(int(now.timestamp() * 1000))


def check_id(field: str, value: object) -> UUID:
    """``value``, if it is a UUID; its text is not taken for one.

    Raises:
        ValueRejectedError: it is not; ``field`` is named.
    """
    if not isinstance(value, UUID):
        raise ValueRejectedError(
            f"{field}: a uuid.UUID is required, not {type(value).__name__}", field=field
        )
    return value


def derived_id(*parts: bytes) -> UUID:
    """The same id for the same parts: RFC 9562 UUIDv8 of their SHA-256, for imports.

    Each part is preceded by its length, so that ("ab", "c") is not ("a", "bc").
    """
    digest = sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).digest()
    bits = int.from_bytes(digest[:16])
    bits &= ~(0xF << 76) & ~(0b11 << 62)
    return UUID(int=bits | _VERSION_8 | _VARIANT)


def optional_id(value: UUID | None) -> UUID | None:
    """The id that a caller made for a new row, or None. Raises ValueRejectedError; field ``id``."""
    return None if value is None else check_id("id", value)
