"""The one clock of a database: what ``:now`` is in every statement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from dal.errors import UsageError, ValueRejectedError

__all__ = [
    "END_OF_TIME",
    "START_OF_TIME",
    "Clock",
    "ManualClock",
    "SystemClock",
    "ago",
    "check_time",
    "later",
]

END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
"""Later than every row: where a page that starts at the newest starts."""

START_OF_TIME = datetime(1000, 1, 1, tzinfo=UTC)
"""Earlier than every row: the first that a server stores."""

_TICK = timedelta(microseconds=1)


def check_time(field: str, value: object) -> datetime:
    """``value`` in UTC, if it is a time with its zone that every server can store.

    Raises:
        ValueRejectedError: it is not; ``field`` is named.
    """
    # Without an offset, astimezone() would take it for the machine's local time.
    if not isinstance(value, datetime) or value.utcoffset() is None or not 1000 < value.year < 9999:
        raise ValueRejectedError(
            f"{field}: a datetime with its zone, year 1001 to 9998", field=field
        )
    return value.astimezone(UTC)


def ago(now: datetime, age: object, *, field: str = "older_than") -> datetime:
    """The time that lies ``age`` before ``now``, for what is removed because it is that old.

    Longer ago than any server stores is as long ago as it stores: nothing is that old.

    Raises:
        ValueRejectedError: ``age`` is no timedelta, or negative; ``field`` is named.
    """
    if not isinstance(age, timedelta) or age < timedelta(0):
        raise ValueRejectedError(f"{field}: a timedelta, 0 or more", field=field)
    return now - min(age, now - START_OF_TIME)


def later(now: datetime, than: datetime) -> datetime:
    """``now``, or just after ``than`` where a clock that is behind says less.

    It is when a row that is locked is changed. Two changes within a microsecond, or by a machine
    whose clock is behind, would else leave the time of the last change as it was, and whoever
    compares it would not see the second one.
    """
    return max(now, than + _TICK)


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """The time, aware, in UTC, to the microsecond."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time, aware, in UTC, to the microsecond."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved; for tests."""

    def __init__(self, start: datetime) -> None:
        if start.utcoffset() is None:
            raise UsageError("ManualClock starts at a datetime with its zone")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The time it was set to."""
        return self._now

    def move(self, by: timedelta) -> None:
        """Move the time by this much, back as well."""
        self._now += by
