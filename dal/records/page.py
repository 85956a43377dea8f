"""Pages by key: a tuple of rows and an opaque cursor to what follows them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from typing import Generic, TypeVar, cast
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.clock import END_OF_TIME, START_OF_TIME
from dal.records.ids import MAX_ID

__all__ = [
    "MAX_LIMIT",
    "Key",
    "Page",
    "check_batch",
    "check_limit",
    "decode_cursor",
    "encode_cursor",
    "page_of",
    "start_by_time",
]

MAX_LIMIT = 500
"""The most rows of one page."""

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_DIGEST_BYTES = 6
_MAX_BATCH = 10_000

R = TypeVar("R")

Key = tuple[datetime | UUID | int | str, ...]
"""Where a page ends: the values of the columns that the list is ordered by."""


@attrs.frozen(slots=True)
class Page(Generic[R]):
    """Some rows in order, and where the next ones start.

    ``next`` is None on the last page; else pass it as ``after=`` to the same method with the same
    filters.
    """

    rows: tuple[R, ...]
    next: str | None


def check_limit(limit: int) -> int:
    """``limit``, if it is 1 to MAX_LIMIT.

    Raises:
        ValueRejectedError: it is not.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise ValueRejectedError(f"limit: 1 to {MAX_LIMIT}", field="limit")
    return limit


def check_batch(batch: int) -> int:
    """``batch``, the most rows that one transaction removes or changes, if it is 1 to 10,000.

    Raises:
        ValueRejectedError: it is not.
    """
    if type(batch) is not int or not 1 <= batch <= _MAX_BATCH:
        raise ValueRejectedError(f"batch: 1 to {_MAX_BATCH}", field="batch")
    return batch


def _pack(value: datetime | UUID | int | str) -> bytes:
    if isinstance(value, UUID):
        return b"u" + value.bytes
    if isinstance(value, datetime):
        microseconds = (value - _EPOCH) // timedelta(microseconds=1)
        return b"t" + microseconds.to_bytes(8)
    if isinstance(value, str):
        text = value.encode()
        return b"s" + len(text).to_bytes(2) + text
    return b"i" + value.to_bytes(8)


def _unpack(data: bytes) -> Key:
    values: list[datetime | UUID | int | str] = []
    while data:
        kind, data = data[:1], data[1:]
        size = 16 if kind == b"u" else 8
        if kind == b"s":
            length, data = data[:2], data[2:]
            if len(length) != 2:
                raise ValueError
            size = int.from_bytes(length)
        part, data = data[:size], data[size:]
        if len(part) != size:
            raise ValueError
        if kind == b"u":
            values.append(UUID(bytes=part))
        elif kind == b"t":
            time = _EPOCH + timedelta(microseconds=int.from_bytes(part))
            if time < START_OF_TIME:
                raise ValueError
            values.append(time)
        elif kind == b"i":
            values.append(int.from_bytes(part))
        elif kind == b"s":
            # Strict: bytes that are no UTF-8 are a UnicodeDecodeError, which is a ValueError.
            values.append(part.decode())
        else:
            raise ValueError
    return tuple(values)


def _digest(of_list: str, packed: bytes) -> bytes:
    return blake2s(of_list.encode() + b"\0" + packed, digest_size=_DIGEST_BYTES).digest()


def encode_cursor(of_list: str, key: Key) -> str:
    """A cursor that says where in ``of_list`` a page ended.

    It is checked, not secret: a cursor of another list or with a letter changed is refused. It
    gives no access, since every statement asks the actor itself.
    """
    packed = b"".join(_pack(value) for value in key)
    return base64.urlsafe_b64encode(_digest(of_list, packed) + packed).decode().rstrip("=")


def decode_cursor(of_list: str, cursor: str | None, first: Key) -> Key:
    """The key in ``cursor``, or ``first`` where there is none.

    Raises:
        ValueRejectedError: not a cursor of this list; the field is ``after``.
    """
    if cursor is None:
        return first
    refused = ValueRejectedError("after: not a cursor of this list", field="after")
    # An address of 254 characters of 4 bytes, with what may stand beside it, in Base64: 1,400.
    if not isinstance(cursor, str) or len(cursor) > 2_000:
        raise refused
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        data = base64.b64decode(padded, altchars=b"-_", validate=True)
        digest, packed = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        key = _unpack(packed)
    except (ValueError, OverflowError, binascii.Error):
        raise refused from None
    same_types = [type(value) for value in key] == [type(value) for value in first]
    # Base64 leaves bits of its last letter unread: only the one spelling is a cursor.
    one_spelling = cursor == encode_cursor(of_list, key)
    if digest != _digest(of_list, packed) or not same_types or not one_spelling:
        raise refused
    return key


def start_by_time(of_list: str, after: str | None) -> tuple[datetime, UUID]:
    """Where a page of a list by time and id, the last first, starts.

    Raises:
        ValueRejectedError: not a cursor of that list; the field is ``after``.
    """
    return cast(tuple[datetime, UUID], decode_cursor(of_list, after, (END_OF_TIME, MAX_ID)))


def page_of(of_list: str, rows: Sequence[R], limit: int, key: Callable[[R], Key]) -> Page[R]:
    """The page of ``rows``, asked for with ``limit + 1``: one row more tells that more follow."""
    shown = tuple(rows[:limit])
    more = len(rows) > limit
    return Page(shown, encode_cursor(of_list, key(shown[-1])) if more else None)
