"""Local days of a time zone as ranges of UTC, for counting rows a day.

A statement counts by the day of ``created_at`` plus an offset. That is the local day wherever the
zone's offset is that one, so a run of days is cut where the offset changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from dal.errors import ValueRejectedError
from dal.records.clock import check_time

__all__ = ["MAX_DAYS", "Segment", "checked_days", "days_until", "segments", "zone"]

MAX_DAYS = 366
"""The most days of one question."""

_DAY: Final = timedelta(days=1)
# No zone of the tz database kept an offset for less than 95 hours and then went back to the one
# before; what is shorter than this is overlooked.
_STEP: Final = timedelta(hours=3)
# No dot, so no file's extension and no folder above; longer than every name there is.
_NAME: Final = re.compile(r"[A-Za-z0-9_+-]{1,64}(?:/[A-Za-z0-9_+-]{1,64}){0,3}")
# They lie among the zones, and are the machine's own, or the same zones in another reckoning.
_NO_ZONES: Final = frozenset({"localtime", "posix", "posixrules", "right"})


@attrs.frozen(slots=True)
class Segment:
    """From a time until before another, both UTC, while the zone is this far ahead of UTC."""

    from_at: datetime
    until_at: datetime
    utc_offset_s: int


def _refused_zone() -> ValueRejectedError:
    return ValueRejectedError(
        "time_zone: an IANA name such as Europe/Berlin, or a tzinfo of whole seconds, is required",
        field="time_zone",
    )


def _refused_days(why: str) -> ValueRejectedError:
    return ValueRejectedError(f"days: {why}", field="days")


def _offset(at: datetime, tz: tzinfo) -> timedelta:
    """How far the zone's clock is ahead of UTC at this time, which is UTC."""
    try:
        local = at.astimezone(tz)
    except (NotImplementedError, ValueError):
        # The base class, one that knows no offset, or one of a day and more.
        raise _refused_zone() from None
    # What the clock shows, and not utcoffset(): some libraries answer that without the fold.
    offset = local.replace(tzinfo=None) - at.replace(tzinfo=None)
    if offset.microseconds:
        raise _refused_zone()
    return offset


def zone(value: object) -> tzinfo:
    """The time zone of this name; a tzinfo as it is. ``UTC`` needs no tz database.

    Raises:
        ValueRejectedError: no such zone, or an offset that is not of whole seconds; the field is
            ``time_zone``.
    """
    if isinstance(value, tzinfo):
        _offset(datetime(2000, 1, 1, tzinfo=UTC), value)
        return value
    name = str.__str__(value) if isinstance(value, str) else ""
    if name == "UTC":
        return UTC
    # The name becomes a path: nothing that could leave the database's folder gets that far.
    if _NAME.fullmatch(name) is None or name.partition("/")[0] in _NO_ZONES:
        raise _refused_zone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Unknown, a file that is no zone, a folder.
        raise _refused_zone() from None


def checked_days(value: object) -> int:
    """A number of days that can be asked for.

    Raises:
        ValueRejectedError: not an integer from 1 to 366; the field is ``days``.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_DAYS:
        raise _refused_days(f"an integer from 1 to {MAX_DAYS}")
    return int(value)


def days_until(now: datetime, days: int, tz: tzinfo) -> list[date]:
    """The last so many local days, the oldest first, up to the one that it is now.

    Every day of the calendar is there, also one that the zone left out.

    Raises:
        ValueRejectedError: ``now`` has no zone, ``days`` is not 1 to 366, or a day lies outside
            the years 1001 to 9998.
    """
    count = checked_days(days)
    now = check_time("now", now)
    today = (now + _offset(now, tz)).date()
    run = [today - n * _DAY for n in reversed(range(count))]
    _check_run(run)
    return run


def _check_run(days: Sequence[date]) -> None:
    if not days or any(later - earlier != _DAY for earlier, later in pairwise(days)):
        raise _refused_days("one day or more, each the one after the one before")
    # What check_time takes: an hour more or less is still a datetime, and both servers have it.
    if not 1000 < days[0].year <= days[-1].year < 9999:
        raise _refused_days("the years are 1001 to 9998")


def _steady(start: datetime, end: datetime, tz: tzinfo) -> Iterator[Segment]:
    """The whole range in pieces of one offset each, as long as they can be."""
    since = at = start
    offset = _offset(at, tz)
    while at < end:
        ahead = min(at + _STEP, end)
        if _offset(ahead, tz) == offset:
            at = ahead
            continue
        # It changes within the step: look for the first second of another offset.
        before, after = 0, (ahead - at) // timedelta(seconds=1)
        while after - before > 1:
            middle = (before + after) // 2
            if _offset(at + timedelta(seconds=middle), tz) == offset:
                before = middle
            else:
                after = middle
        at += timedelta(seconds=after)
        yield Segment(since, at, offset // timedelta(seconds=1))
        since, offset = at, _offset(at, tz)
    yield Segment(since, end, offset // timedelta(seconds=1))


def segments(days: Sequence[date], tz: tzinfo) -> list[Segment]:
    """All that is one of these local days and nothing else, in pieces of one offset each.

    The days are those of :func:`days_until`: each the one after the one before. The pieces are in
    order, and each begins where the one before ends. Two things are as the zone makes them:

    - A day that the zone left out (the 30th of December 2011 in Samoa) has no piece; the list is
      empty where it is the only day.
    - Where the clock is set back just past midnight (until 2011 at 00:01 in St. John's), a minute
      of the new day is followed by 59 minutes of the old one. If only one of the two is asked
      for, what is the other's is left out, between two pieces. So a day's number is the same
      whichever days are asked for with it.

    Raises:
        ValueRejectedError: not a run of days within the years 1001 to 9998, or a zone with an
            offset that is not of whole seconds.
    """
    _check_run(days)
    # Midnights of the zone's clock, written as if they were UTC.
    first = datetime.combine(days[0], time.min, UTC)
    end = datetime.combine(days[-1], time.min, UTC) + _DAY
    found = []
    # An offset is less than a day, so nothing further away can be one of the days.
    for piece in _steady(first - _DAY, end + _DAY, tz):
        offset = timedelta(seconds=piece.utc_offset_s)
        from_at = max(piece.from_at, first - offset)
        until_at = min(piece.until_at, end - offset)
        if from_at < until_at:
            found.append(Segment(from_at, until_at, piece.utc_offset_s))
    return found
