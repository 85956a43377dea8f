"""Numbers of what was spent: sums, percentiles and series of attempts or of the daily roll-up.

Percentiles are by nearest rank: the value at place ceil(p * n). Of attempts they are exact. Of the
roll-up the middle of the class stands for the value, so they are within 4.9 % of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.days import zone
from dal.records.ids import check_id
from dal.records.new_prompts import checked_version, checked_word
from dal.records.usage import BUCKET_BASE, UsageDay, UsageRecord, UsageStatus

__all__ = [
    "Latency",
    "Ranked",
    "Ranking",
    "Step",
    "Subject",
    "UsageOf",
    "UsagePoint",
    "UsageReport",
    "UsageStatistics",
    "checked_step",
    "points_of_days",
    "ranked",
    "report_of_days",
    "report_of_records",
    "series_of_records",
    "sums_of_records",
]

MAX_POINTS: Final = 10_000
"""The most points of a series."""

_EXACT: Final = Context(prec=60)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


class Subject(StrEnum):
    """What numbers are of."""

    MINE = "mine"
    CONVERSATION = "conversation"
    TEMPLATE = "template"
    MODEL = "model"
    ALL = "all"


@attrs.frozen(slots=True)
class UsageOf:
    """Whose numbers are asked for: made by its class methods."""

    subject: Subject
    id: UUID | None = None
    version: int | None = None
    name: str | None = None

    @classmethod
    def mine(cls) -> UsageOf:
        """What the actor asked."""
        return cls(Subject.MINE)

    @classmethod
    def conversation(cls, conversation_id: UUID) -> UsageOf:
        """What was asked in a conversation that the actor takes part in.

        Raises:
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        return cls(Subject.CONVERSATION, check_id("conversation_id", conversation_id))

    @classmethod
    def template(cls, template_id: UUID, version: int | None = None) -> UsageOf:
        """What was made of the actor's template, by anybody; of one version, or of all.

        Raises:
            ValueRejectedError: ``template_id`` is no UUID, ``version`` no number from 1 on.
        """
        number = None if version is None else checked_version("version", version)
        return cls(Subject.TEMPLATE, check_id("template_id", template_id), number)

    @classmethod
    def model(cls, name: str) -> UsageOf:
        """What a model answered, for the system.

        Raises:
            ValueRejectedError: no name; the field is ``model``.
        """
        return cls(Subject.MODEL, name=checked_word("model", name, 200))

    @classmethod
    def all(cls) -> UsageOf:
        """Everything, for the system."""
        return cls(Subject.ALL)


class Step(StrEnum):
    """How long a point of a series is; a week begins on Monday (ISO 8601)."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class Ranking(StrEnum):
    """What is best: the mean rating, output tokens a second, or tokens a US dollar."""

    RATING = "rating"
    SPEED = "speed"
    COST_EFFICIENCY = "cost_efficiency"


@attrs.frozen(slots=True)
class Latency:
    """Of answers that were timed, from the request to the whole answer, in milliseconds; all but
    the count are None where there are none.
    """

    count: int
    mean_ms: float | None
    median_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@attrs.frozen(slots=True)
class UsageStatistics:
    """Sums over attempts that ended. ``cost`` is in US dollars.

    ``tokens_per_s``: output and reasoning of timed answers by the time that they took.
    ``cached_share``: of what was put in, how much was read from the cache. ``rating`` is the mean;
    the roll-up knows none. Each is None where it is of nothing.
    """

    completed: int
    failed: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    other_tokens: int
    cost: Decimal
    latency: Latency
    tokens_per_s: float | None
    cached_share: float | None
    ratings: int
    rating: float | None

    @property
    def tokens(self) -> int:
        """Of all types."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
            + self.reasoning_tokens
            + self.other_tokens
        )


@attrs.frozen(slots=True)
class UsageReport:
    """Numbers of attempts, together and apart; None stands for what nobody said.

    ``errors`` are codes and how many attempts failed with each, most first; the roll-up knows
    none. ``by_user`` is empty for who may not see who asked, and in the roll-up.
    """

    total: UsageStatistics
    by_model: dict[str | None, UsageStatistics]
    by_provider: dict[str | None, UsageStatistics]
    by_user: dict[UUID, UsageStatistics]
    errors: tuple[tuple[str, int], ...]


@attrs.frozen(slots=True)
class UsagePoint:
    """A point of a series: when it begins, in the time zone that was asked for, and its numbers."""

    start: datetime
    statistics: UsageStatistics


@attrs.frozen(slots=True)
class Ranked:
    """One of the best: a prompt's, user's or template version's id, or a model; and its value."""

    id: UUID | None
    version: int | None
    model: str | None
    value: float
    statistics: UsageStatistics


_SUMMED: Final = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
    "other_tokens",
)  # fmt: skip


class _Sums:
    """What is added up, of attempts or of days."""

    __slots__ = ("cost", "counts", "latencies", "latency_ms", "rated", "stars", "timed_tokens")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        # Value -> how many answers took that.
        self.latencies: Counter[float] = Counter()
        self.latency_ms = self.timed_tokens = self.rated = self.stars = 0
        self.cost = Decimal(0)

    def add_record(self, row: UsageRecord) -> None:
        self.counts[row.status] += 1
        for name in _SUMMED:
            self.counts[name] += getattr(row, name)
        self.cost = _EXACT.add(self.cost, row.cost)
        if row.status is UsageStatus.COMPLETED and row.latency_ms is not None:
            self.latencies[row.latency_ms] += 1
            self.latency_ms += row.latency_ms
            self.timed_tokens += row.output_tokens + row.reasoning_tokens
        if row.rating is not None:
            self.rated += 1
            self.stars += row.rating

    def add_day(self, row: UsageDay) -> None:
        self.counts["completed"] += row.completed
        self.counts["failed"] += row.failed
        for name in _SUMMED:
            self.counts[name] += getattr(row, name)
        self.cost = _EXACT.add(self.cost, row.cost)
        if row.latency_bucket >= 0:
            self.latencies[BUCKET_BASE ** (row.latency_bucket + 0.5)] += row.completed
            self.latency_ms += row.latency_ms
            self.timed_tokens += row.timed_tokens

    def statistics(self) -> UsageStatistics:
        counts = self.counts
        put_in = counts["input_tokens"] + counts["cache_read_tokens"] + counts["cache_write_tokens"]
        return UsageStatistics(
            completed=counts["completed"],
            failed=counts["failed"],
            **{name: counts[name] for name in _SUMMED},
            cost=self.cost,
            latency=_latency(self.latencies, self.latency_ms),
            tokens_per_s=self.timed_tokens * 1_000 / self.latency_ms if self.latency_ms else None,
            cached_share=counts["cache_read_tokens"] / put_in if put_in else None,
            ratings=self.rated,
            rating=self.stars / self.rated if self.rated else None,
        )


def _latency(values: Mapping[float, int], total_ms: int) -> Latency:
    count = sum(values.values())
    if not count:
        return Latency(0, None, None, None, None, None)
    ordered = sorted(values.items())

    def at(percent: int) -> float:
        """The value at place ceil(percent * n / 100), in whole numbers, so that it is exact."""
        place, seen = -(-percent * count // 100), 0
        for value, n in ordered:
            seen += n
            if seen >= place:
                return float(value)
        raise AssertionError

    return Latency(count, total_ms / count, at(50), at(90), at(95), at(99))


def sums_of_records(rows: Iterable[UsageRecord]) -> UsageStatistics:
    """The numbers of attempts."""
    sums = _Sums()
    for row in rows:
        sums.add_record(row)
    return sums.statistics()


def _apart(
    rows: Iterable[Any], keys: Mapping[str, Callable[[Any], Any]], add: str
) -> dict[str, dict[Any, UsageStatistics]]:
    """The numbers of each group, of several ways to group, in one pass."""
    found: dict[str, dict[Hashable, _Sums]] = {name: {} for name in keys}
    for row in rows:
        for name, key in keys.items():
            sums = found[name].setdefault(key(row), _Sums())
            getattr(sums, add)(row)
    return {
        name: {key: sums.statistics() for key, sums in groups.items()}
        for name, groups in found.items()
    }


def report_of_records(rows: Iterable[UsageRecord], *, tells_users: bool) -> UsageReport:
    """A report of attempts."""
    listed = list(rows)
    apart = _apart(
        listed,
        {
            "model": lambda row: row.model,
            "provider": lambda row: row.provider,
            **({"user": lambda row: row.user_id} if tells_users else {}),
        },
        "add_record",
    )
    errors = Counter(row.error_code for row in listed if row.error_code is not None)
    return UsageReport(
        total=sums_of_records(listed),
        by_model=apart["model"],
        by_provider=apart["provider"],
        by_user=apart.get("user", {}),
        errors=tuple(sorted(errors.items(), key=lambda item: (-item[1], item[0]))),
    )


def report_of_days(rows: Iterable[UsageDay]) -> UsageReport:
    """A report of the roll-up."""
    listed = list(rows)
    apart = _apart(
        listed,
        {
            "total": lambda row: None,
            "model": lambda row: row.model or None,
            "provider": lambda row: row.provider or None,
        },
        "add_day",
    )
    total = apart["total"].get(None) or _Sums().statistics()
    return UsageReport(total, apart["model"], apart["provider"], {}, ())


def checked_step(value: object) -> Step:
    """How long a point is. Raises ValueRejectedError; the field is ``step``."""
    try:
        return Step(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError("step: hour, day or week", field="step") from None


def _start(at: datetime, step: Step, tz: tzinfo) -> datetime:
    """Where the point begins that a time is in."""
    local = at.astimezone(tz)
    if step is Step.HOUR:
        # Told apart by UTC: the hour that the clock shows twice is two.
        into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return (at - into).astimezone(tz)
    day = local.date()
    if step is Step.WEEK:
        day -= day.weekday() * _DAY
    return datetime.combine(day, time.min, tz)


def _starts(from_at: datetime, until_at: datetime, step: Step, tz: tzinfo) -> list[datetime]:
    """All points of a time, those of which there is nothing too.

    Raises:
        ValueRejectedError: more than 10,000; the field is ``step``.
    """
    found: list[datetime] = []
    at = _start(from_at, step, tz)
    while at.astimezone(UTC) < until_at:
        found.append(at)
        if len(found) > MAX_POINTS:
            raise ValueRejectedError(
                f"step: more than {MAX_POINTS:,} points; ask for longer ones", field="step"
            )
        if step is Step.HOUR:
            # From within the next one, so that an odd change of the clock is not passed over.
            at = _start(at.astimezone(UTC) + _HOUR, step, tz)
        else:
            days = 7 if step is Step.WEEK else 1
            at = datetime.combine(at.date() + days * _DAY, time.min, tz)
    return found


def series_of_records(
    rows: Iterable[UsageRecord],
    from_at: datetime,
    until_at: datetime,
    step: Step,
    time_zone: str | tzinfo,
) -> list[UsagePoint]:
    """Attempts by hour, local day or week, the oldest first, gaps filled with zero.

    Raises:
        ValueRejectedError: ``time_zone``, or more than 10,000 points.
    """
    tz = zone(time_zone)
    starts = _starts(from_at, until_at, step, tz)
    points = {start.astimezone(UTC): (start, _Sums()) for start in starts}
    for row in rows:
        # Where the clock went back past midnight, a later time can be of the day before the first.
        start = max(_start(row.finished_at, step, tz), starts[0])
        points[start.astimezone(UTC)][1].add_record(row)
    return [UsagePoint(start, sums.statistics()) for start, sums in points.values()]


def points_of_days(
    rows: Iterable[UsageDay], first: date, last: date, step: Step
) -> list[UsagePoint]:
    """The roll-up by day or week, UTC, the oldest first, gaps filled with zero.

    Raises:
        ValueRejectedError: by the hour, which it does not know; the field is ``step``.
    """
    if step is Step.HOUR:
        raise ValueRejectedError("step: the roll-up knows days and weeks", field="step")
    from_at = datetime.combine(first, time.min, UTC)
    until_at = datetime.combine(last, time.min, UTC) + _DAY
    points = {start: _Sums() for start in _starts(from_at, until_at, step, UTC)}
    for row in rows:
        points[_start(datetime.combine(row.day, time.min, UTC), step, UTC)].add_day(row)
    return [UsagePoint(start, sums.statistics()) for start, sums in points.items()]


def _value(statistics: UsageStatistics, by: Ranking) -> float | None:
    if by is Ranking.RATING:
        return statistics.rating
    if by is Ranking.SPEED:
        return statistics.tokens_per_s
    return float(statistics.tokens / statistics.cost) if statistics.cost else None


def ranked(rows: Iterable[UsageRecord], what: str, by: Ranking, limit: int) -> tuple[Ranked, ...]:
    """The best of attempts, put together by what they are of; what has no value is left out."""
    keys: dict[str, Callable[[UsageRecord], tuple[UUID | None, int | None, str | None]]] = {
        "prompts": lambda row: (row.prompt_id, None, None),
        "users": lambda row: (row.user_id, None, None),
        "models": lambda row: (None, None, row.model),
        "template_versions": lambda row: (row.template_id, row.template_version, None),
    }
    apart = _apart(rows, {"what": keys[what]}, "add_record")["what"]
    found = []
    for (of, version, model), statistics in apart.items():
        value = None if (of, model) == (None, None) else _value(statistics, by)
        if value is not None and math.isfinite(value):
            found.append(Ranked(of, version, model, value, statistics))
    found.sort(key=lambda one: (-one.value, str(one.id), one.version or 0, one.model or ""))
    return tuple(found[:limit])
