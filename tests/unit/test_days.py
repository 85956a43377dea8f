"""Local days as ranges of UTC, also where the zone's clock jumps at midnight or over a day."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal.errors import ValueRejectedError
from dal.records.days import MAX_DAYS, Segment, checked_days, days_until, segments, zone

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
ZONES = st.sampled_from(sorted(zoneinfo.available_timezones())).map(ZoneInfo)
BARE: tzinfo = tzinfo()  # type: ignore[abstract]  # Python itself lets it be made
FIXED = st.integers(-86_399, 86_399).map(lambda s: timezone(timedelta(seconds=s)))


def run_of(first: date, count: int) -> list[date]:
    return [first + n * DAY for n in range(count)]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def check(days: Sequence[date], found: Sequence[Segment], instants: Sequence[datetime],
          tz: tzinfo) -> None:  # fmt: skip
    """What the segments promise, at these instants."""
    wanted = frozenset(days)
    for segment in found:
        assert segment.from_at < segment.until_at
        for at in (segment.from_at, segment.until_at - SECOND):
            offset = at.astimezone(tz).utcoffset()
            assert offset == timedelta(seconds=segment.utc_offset_s)
            assert at.astimezone(tz).date() in wanted
    for one, other in pairwise(found):
        assert one.until_at <= other.from_at
        if one.until_at < other.from_at:
            # What is left out between two is no day that was asked for.
            for at in (one.until_at, other.from_at - SECOND):
                assert at.astimezone(tz).date() not in wanted
        else:
            assert one.utc_offset_s != other.utc_offset_s
    for at in instants:
        local = at.astimezone(tz)
        holding = [s for s in found if s.from_at <= at < s.until_at]
        assert len(holding) == (local.date() in wanted), at
        for segment in holding:
            offset = timedelta(seconds=segment.utc_offset_s)
            assert (at + offset).date() == local.date()
            assert offset == local.utcoffset()


@given(
    st.one_of(ZONES, FIXED),
    st.one_of(
        st.dates(date(1990, 1, 1), date(2037, 12, 31)),
        st.dates(date(1850, 1, 1), date(2150, 12, 31)),
    ),
    st.one_of(st.integers(1, 3), st.integers(1, MAX_DAYS)),
    st.data(),
)
def test_every_instant_of_the_days_is_in_one_segment(
    tz: tzinfo, first: date, count: int, data: st.DataObject
) -> None:
    days = run_of(first, count)
    found = segments(days, tz)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - 2 * DAY
    seconds = st.integers(0, (count + 4) * 86_400)
    instants = [
        start + timedelta(seconds=second)
        for second in data.draw(st.lists(seconds, min_size=20, max_size=40))
    ]
    # The edges, where it goes wrong.
    for segment in found:
        instants += [segment.from_at + n * SECOND for n in (-1, 0, 1)]
        instants += [segment.until_at + n * SECOND for n in (-1, 0, 1)]
    check(days, found, instants, tz)


@given(ZONES, st.dates(date(1990, 1, 1), date(2037, 12, 1)), st.integers(2, 20), st.data())
def test_a_day_is_the_same_whichever_days_are_asked_for_with_it(
    tz: tzinfo, first: date, count: int, data: st.DataObject
) -> None:
    days = run_of(first, count)
    cut = data.draw(st.integers(1, count - 1))

    def seconds(found: list[Segment]) -> timedelta:
        return sum((s.until_at - s.from_at for s in found), timedelta())

    whole = seconds(segments(days, tz))
    parts = [segments(days[:cut], tz), segments(days[cut:], tz)]
    assert whole == sum(map(seconds, parts), timedelta())


# Where clocks jumped: over midnight, back over it, over a whole day, by an odd number of seconds.
JUMPS = [
    ("America/Sao_Paulo", date(2017, 10, 15)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Asia/Beirut", date(2022, 3, 27)),
    ("Africa/Cairo", date(2010, 4, 30)),
    ("America/Havana", date(2020, 11, 1)),
    ("America/St_Johns", date(2006, 10, 29)),
    ("America/St_Johns", date(2007, 3, 11)),
    ("Asia/Gaza", date(2012, 3, 30)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Kwajalein", date(1993, 8, 21)),
    ("Pacific/Kwajalein", date(1969, 10, 1)),
    ("Pacific/Kiritimati", date(1994, 12, 31)),
    ("America/Juneau", date(1867, 10, 18)),
    ("Asia/Manila", date(1844, 12, 31)),
    ("Europe/Dublin", date(2020, 10, 25)),
    ("Europe/Dublin", date(1916, 10, 1)),
    ("Europe/Amsterdam", date(1937, 7, 1)),
    ("Africa/Monrovia", date(1972, 1, 7)),
    ("Australia/Lord_Howe", date(2020, 4, 5)),
    ("Africa/Freetown", date(1939, 9, 3)),
    ("America/New_York", date(1883, 11, 18)),
]


@pytest.mark.parametrize(("name", "day"), JUMPS)
def test_every_minute_around_a_jump(name: str, day: date) -> None:
    tz = zone(name)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - 3 * DAY
    instants = [start + timedelta(minutes=n) for n in range(6 * 24 * 60)]
    for before in range(3):
        for after in range(3):
            days = run_of(day - before * DAY, before + after + 1)
            check(days, segments(days, tz), instants, tz)
            if before:
                check(days[:-1], segments(days[:-1], tz), instants, tz)


def test_a_year_of_berlin() -> None:
    found = segments(run_of(date(2024, 1, 1), 366), zone("Europe/Berlin"))
    assert found == [
        Segment(utc("2023-12-31T23:00:00"), utc("2024-03-31T01:00:00"), 3600),
        Segment(utc("2024-03-31T01:00:00"), utc("2024-10-27T01:00:00"), 7200),
        Segment(utc("2024-10-27T01:00:00"), utc("2024-12-31T23:00:00"), 3600),
    ]


def test_a_year_of_utc_and_of_a_fixed_offset() -> None:
    days = run_of(date(2025, 1, 1), 365)
    assert segments(days, UTC) == [Segment(utc("2025-01-01"), utc("2026-01-01"), 0)]
    tz = timezone(-timedelta(hours=23, minutes=59, seconds=59))
    assert segments(days, tz) == [
        Segment(utc("2025-01-01T23:59:59"), utc("2026-01-01T23:59:59"), -86_399)
    ]


def test_no_midnight() -> None:
    # At 00:00 it was 01:00.
    found = segments([date(2017, 10, 15)], zone("America/Sao_Paulo"))
    assert found == [Segment(utc("2017-10-15T03:00:00"), utc("2017-10-16T02:00:00"), -7200)]


def test_midnight_twice() -> None:
    # At 01:00 it was 00:00.
    found = segments([date(2020, 11, 1)], zone("America/Havana"))
    assert found == [
        Segment(utc("2020-11-01T04:00:00"), utc("2020-11-01T05:00:00"), -4 * 3600),
        Segment(utc("2020-11-01T05:00:00"), utc("2020-11-02T05:00:00"), -5 * 3600),
    ]


def test_back_over_midnight() -> None:
    # At 00:01 it was 23:01 of the day before.
    tz = zone("America/St_Johns")
    saturday, sunday = date(2006, 10, 28), date(2006, 10, 29)
    midnight, jump, again = (
        utc(f"2006-10-29T{time}") for time in ("02:30:00", "02:31:00", "03:30:00")
    )
    start, end = utc("2006-10-28T02:30:00"), utc("2006-10-30T03:30:00")
    assert segments([saturday, sunday], tz) == [
        Segment(start, jump, -9000),
        Segment(jump, end, -12600),
    ]
    assert segments([saturday], tz) == [
        Segment(start, midnight, -9000),
        Segment(jump, again, -12600),
    ]
    assert segments([sunday], tz) == [
        Segment(midnight, jump, -9000),
        Segment(again, end, -12600),
    ]


def test_a_day_that_never_was() -> None:
    tz = zone("Pacific/Apia")
    days = days_until(utc("2011-12-31T00:00:00"), 3, tz)
    assert days == [date(2011, 12, 29), date(2011, 12, 30), date(2011, 12, 31)]
    change = utc("2011-12-30T10:00:00")
    assert segments(days, tz) == [
        Segment(change - DAY, change, -10 * 3600),
        Segment(change, change + DAY, 14 * 3600),
    ]
    assert segments([date(2011, 12, 30)], tz) == []


def test_an_offset_with_seconds() -> None:
    found = segments([date(1883, 11, 18)], zone("America/New_York"))
    assert [s.utc_offset_s for s in found] == [-17_762, -18_000]
    assert found[0].from_at == utc("1883-11-18T04:56:02")


# ------------------------------------------------------------------ the days


@given(
    st.one_of(ZONES, FIXED),
    st.integers(631_152_000, 2_145_830_400).map(lambda s: datetime.fromtimestamp(s, UTC)),
    st.integers(1, MAX_DAYS),
)
def test_days_end_with_the_local_one(tz: tzinfo, now: datetime, count: int) -> None:
    days = days_until(now, count, tz)
    assert days == run_of(days[0], count)
    assert days[-1] == now.astimezone(tz).date()
    # However the caller's clock is set.
    assert days_until(now.astimezone(timezone(timedelta(hours=5))), count, tz) == days
    assert sum(s.from_at <= now < s.until_at for s in segments(days, tz)) == 1


@pytest.mark.parametrize("wrong", [0, -1, 367, 10**30, True, False, 1.0, "7", None, [7]])
def test_what_is_no_number_of_days(wrong: Any) -> None:
    for call in (
        lambda: checked_days(wrong),
        lambda: days_until(utc("2026-01-01"), wrong, UTC),
    ):
        with pytest.raises(ValueRejectedError) as caught:
            call()
        assert caught.value.field == "days"


def test_numbers_of_days() -> None:
    assert [checked_days(n) for n in (1, 7, MAX_DAYS)] == [1, 7, 366]


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [date(2026, 1, 1), date(2026, 1, 3)],
        [date(2026, 1, 2), date(2026, 1, 1)],
        [date(2026, 1, 1), date(2026, 1, 1)],
        [date.min],
        [date.max],
        [date(1000, 12, 31), date(1001, 1, 1)],
        [date(9998, 12, 31), date(9999, 1, 1)],
    ],
)
def test_what_is_no_run_of_days(wrong: list[date]) -> None:
    with pytest.raises(ValueRejectedError) as caught:
        segments(wrong, UTC)
    assert caught.value.field == "days"


@pytest.mark.parametrize("hours", [-23, 0, 23])
@pytest.mark.parametrize("day", [date(1001, 1, 1), date(9998, 12, 31)])
def test_the_first_and_the_last_day(day: date, hours: int) -> None:
    tz = timezone(timedelta(hours=hours))
    start = datetime(day.year, day.month, day.day, tzinfo=tz)
    assert segments([day], tz) == [Segment(start, start + DAY, hours * 3600)]
    if start.astimezone(UTC).year == day.year:
        assert days_until(start, 1, tz) == [day]


def test_days_beyond_the_first_and_the_last() -> None:
    early, late = utc("1001-01-01"), utc("9998-12-31T23:00:00")
    assert days_until(early, 1, UTC) == [date(1001, 1, 1)]
    for now, count, hours in ((early, 2, 0), (early, 1, -1), (late, 1, 1)):
        with pytest.raises(ValueRejectedError) as caught:
            days_until(now, count, timezone(timedelta(hours=hours)))
        assert caught.value.field == "days"
    for wrong in (datetime.max.replace(tzinfo=UTC), datetime(2026, 1, 1)):  # noqa: DTZ001
        with pytest.raises(ValueRejectedError) as caught:
            days_until(wrong, 1, UTC)
        assert caught.value.field == "now"


# ------------------------------------------------------------------ zones


class Name(StrEnum):
    BERLIN = "Europe/Berlin"


def test_every_zone_is_known_by_its_name() -> None:
    for name in zoneinfo.available_timezones() - {"UTC", "localtime"}:
        assert zone(name) == ZoneInfo(name)
    assert zone(Name.BERLIN) == ZoneInfo("Europe/Berlin")
    # Not of the tz database, which a machine may lack.
    assert zone("UTC") is UTC


def test_a_tzinfo_is_taken_as_it_is() -> None:
    for tz in (UTC, timezone(timedelta(seconds=-12_345)), ZoneInfo("Asia/Kathmandu")):
        assert zone(tz) is tz


@pytest.mark.parametrize(
    "wrong",
    ["", " ", "Nope", "Nope/Nope", "America", "America/", "/UTC", "/etc/passwd", "../UTC", "..",
     ".", "./UTC", "America/../UTC", "Europe//Berlin", "Europe/Berlin\n", "\nUTC", "a\0b",
     "\ud800", "Zürich", "x" * 300, "x" * 100_000, "zone.tab", "tzdata.zi", "leapseconds",
     "localtime", "posixrules", "right/UTC", "posix/Europe/Berlin", "C:\\UTC", "+01:00",
     None, 3, 3600, True, b"UTC", timedelta(hours=1), date(2026, 1, 1), ["UTC"], tzinfo,
     BARE, timezone(timedelta(microseconds=1)), timezone(timedelta(seconds=1.5))],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_what_is_no_zone(wrong: object) -> None:
    with pytest.raises(ValueRejectedError) as caught:
        zone(wrong)
    assert caught.value.field == "time_zone"
    assert not isinstance(wrong, str) or len(wrong) < 5 or wrong not in str(caught.value)


@pytest.mark.parametrize("wrong", [BARE, timezone(timedelta(milliseconds=1))])
def test_a_tzinfo_that_was_not_checked_is_refused_later(wrong: tzinfo) -> None:
    for call in (
        lambda: days_until(utc("2026-01-01"), 1, wrong),
        lambda: segments([date(2026, 1, 1)], wrong),
    ):
        with pytest.raises(ValueRejectedError) as caught:
            call()
        assert caught.value.field == "time_zone"


class Jumpy(tzinfo):
    """A zone of a library of its own, whose clock changed twice within three hours."""

    def utcoffset(self, _: datetime | None) -> timedelta:
        raise AssertionError("only fromutc() knows which of two equal times it is")

    def dst(self, _: datetime | None) -> timedelta:
        return timedelta()

    def tzname(self, _: datetime | None) -> str:
        return "JMP"

    def fromutc(self, at: datetime) -> datetime:
        shift = (at >= utc("2026-01-01T12:00:07").replace(tzinfo=self)) + (
            at >= utc("2026-01-01T12:30:00").replace(tzinfo=self)
        )
        return at + timedelta(hours=shift)


def test_two_changes_within_a_step() -> None:
    one, two = utc("2026-01-01T12:00:07"), utc("2026-01-01T12:30:00")
    assert segments([date(2026, 1, 1)], Jumpy()) == [
        Segment(utc("2026-01-01"), one, 0),
        Segment(one, two, 3600),
        Segment(two, utc("2026-01-01T22:00:00"), 7200),
    ]
