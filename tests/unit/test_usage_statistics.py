"""Numbers of usage against independent ones: percentiles, sums, series in time zones."""

from __future__ import annotations

import csv
import math
import statistics
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dal
from dal.records.usage import UsageDay, UsageRecord, UsageStatus, latency_bucket
from dal.records.usage_statistics import (
    Ranking,
    Step,
    points_of_days,
    ranked,
    report_of_days,
    report_of_records,
    series_of_records,
)
from tests.repositories.data import data_file

START = datetime(2026, 1, 1, tzinfo=UTC)


def record(n: int, **said: Any) -> UsageRecord:
    how: dict[str, Any] = {
        "prompt_id": UUID(int=n), "attempt": 1, "conversation_id": UUID(int=1),
        "user_id": UUID(int=n % 3), "template_id": None, "template_version": None,
        "provider": None, "model": "m", "status": UsageStatus.COMPLETED, "error_code": None,
        "finished_at": START, "latency_ms": None, "first_token_ms": None, "latency_bucket": 0,
        "input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0,
        "reasoning_tokens": 0, "other_tokens": 0, "cost": Decimal(0), "cost_source": "none",
        "rating": None, **said,
    }  # fmt: skip
    how["latency_bucket"] = latency_bucket(how["status"], how["latency_ms"], how["prompt_id"])
    return UsageRecord(**how)


def rolled_up(rows: list[UsageRecord]) -> list[UsageDay]:
    """One row an attempt: adding them up is the statements' matter."""
    return [
        UsageDay(
            day=row.finished_at.date(), provider=row.provider or "", model=row.model or "",
            latency_bucket=row.latency_bucket, completed=int(row.status == "completed"),
            failed=int(row.status == "failed"), latency_ms=row.latency_ms or 0,
            timed_tokens=row.output_tokens + row.reasoning_tokens, input_tokens=row.input_tokens,
            output_tokens=row.output_tokens, cache_read_tokens=row.cache_read_tokens,
            cache_write_tokens=row.cache_write_tokens, reasoning_tokens=row.reasoning_tokens,
            other_tokens=row.other_tokens, cost=row.cost,
        )
        for row in rows
    ]  # fmt: skip


latencies = st.lists(st.integers(0, 600_000), min_size=1, max_size=60)


@given(latencies)
def test_percentiles_are_by_nearest_rank(values: list[int]) -> None:
    rows = [record(n, latency_ms=value, output_tokens=n) for n, value in enumerate(values)]
    exact = report_of_records(rows, tells_users=False).total
    ordered = sorted(values)
    wanted = [ordered[math.ceil(p * len(values) / 100) - 1] for p in (50, 90, 95, 99)]
    found = exact.latency
    assert [found.median_ms, found.p90_ms, found.p95_ms, found.p99_ms] == wanted
    assert found.mean_ms == pytest.approx(statistics.fmean(values))
    assert found.count == len(values)
    rough = report_of_days(rolled_up(rows)).total
    near = rough.latency
    for value, about in zip(
        wanted, (near.median_ms, near.p90_ms, near.p95_ms, near.p99_ms), strict=True
    ):
        assert about is not None
        assert abs(about - value) <= max(0.05 * value, 1.05)
    assert (near.count, near.mean_ms, rough.tokens_per_s) == (
        found.count, found.mean_ms, exact.tokens_per_s,
    )  # fmt: skip


def test_percentiles_of_a_published_trace() -> None:
    """The token counts of 19,366 requests as if they were latencies, against the stdlib's sorting
    and against the roll-up.
    """
    path = data_file("azure_llm_trace_2023_conv.csv")
    with path.open(encoding="utf-8", newline="") as file:
        trace = list(csv.DictReader(file))
    assert len(trace) == 19_366
    columns = [name for name in trace[0] if name != "TIMESTAMP"]
    assert len(columns) == 2
    for column in columns:
        values = [int(row[column]) for row in trace]
        rows = [record(n, latency_ms=value) for n, value in enumerate(values)]
        exact = report_of_records(rows, tells_users=False).total.latency
        rough = report_of_days(rolled_up(rows)).total.latency
        # inverted_cdf, the first definition of Hyndman and Fan, is the nearest rank.
        cuts = {50: exact.median_ms, 90: exact.p90_ms, 95: exact.p95_ms, 99: exact.p99_ms}
        for percent, value in cuts.items():
            assert value is not None
            below = sum(v < value for v in values)
            up_to = sum(v <= value for v in values)
            assert below < percent * len(values) / 100 <= up_to
        for of_exact, of_rough in (
            (exact.median_ms, rough.median_ms), (exact.p90_ms, rough.p90_ms),
            (exact.p95_ms, rough.p95_ms), (exact.p99_ms, rough.p99_ms),
        ):  # fmt: skip
            assert of_exact is not None
            assert of_rough == pytest.approx(of_exact, rel=0.05)


def test_a_report_adds_up_and_takes_apart() -> None:
    rows = [
        record(1, model="a", provider="p", input_tokens=6, cache_read_tokens=2, output_tokens=5,
               reasoning_tokens=5, latency_ms=2_000, cost=Decimal("1E-18"), rating=4),
        record(2, model="b", cache_write_tokens=2, other_tokens=7, rating=5),
        record(3, model="a", provider="p", status=UsageStatus.FAILED, error_code="slow",
               latency_ms=7, cost=Decimal(2)),
        record(4, model=None, status=UsageStatus.FAILED, error_code="quota"),
        record(5, model=None, status=UsageStatus.FAILED, error_code="quota"),
    ]  # fmt: skip
    found = report_of_records(rows, tells_users=True)
    total = found.total
    assert (total.completed, total.failed, total.tokens) == (2, 3, 27)
    assert (total.tokens_per_s, total.cached_share) == (5.0, 0.2)
    assert total.cost == Decimal("2.000000000000000001")
    assert (total.ratings, total.rating) == (2, 4.5)
    assert total.latency == dal.Latency(1, 2_000.0, 2_000.0, 2_000.0, 2_000.0, 2_000.0)
    assert found.errors == (("quota", 2), ("slow", 1))
    for apart in (found.by_model, found.by_provider, found.by_user):
        assert sum(one.completed for one in apart.values()) == 2
        assert sum(one.failed for one in apart.values()) == 3
        assert sum((one.cost for one in apart.values()), Decimal(0)) == total.cost
    assert set(found.by_model) == {"a", "b", None}
    assert report_of_records(rows, tells_users=False).by_user == {}
    rough = report_of_days(rolled_up(rows))
    assert (rough.total.tokens, rough.total.cost) == (total.tokens, total.cost)
    assert {name: one.failed for name, one in rough.by_model.items()} == {
        name: one.failed for name, one in found.by_model.items()
    }
    nothing = report_of_records([], tells_users=True)
    assert (nothing.total.latency.count, nothing.total.rating, nothing.by_model) == (0, None, {})
    assert report_of_days([]).total == nothing.total


zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia",
     "Australia/Lord_Howe", "America/New_York"]
)  # fmt: skip


@given(
    begin=st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
    hours=st.integers(1, 24 * 40),
    offsets=st.lists(st.floats(0, 1, exclude_max=True), max_size=20),
    step=st.sampled_from(Step),
    zone=zones,
)
def test_every_attempt_is_in_one_point_and_no_point_is_missing(
    begin: datetime, hours: int, offsets: list[float], step: Step, zone: str
) -> None:
    from_at = begin.replace(tzinfo=UTC)
    until_at = from_at + timedelta(hours=hours)
    rows = [
        record(n, finished_at=from_at + offset * timedelta(hours=hours))
        for n, offset in enumerate(offsets)
    ]
    points = series_of_records(rows, from_at, until_at, step, zone)
    assert sum(point.statistics.completed for point in points) == len(rows)
    starts = [point.start for point in points]
    assert starts[0].astimezone(UTC) <= from_at
    assert starts[-1].astimezone(UTC) < until_at
    for before, after in pairwise(starts):
        apart = after.astimezone(UTC) - before.astimezone(UTC)
        longest = {Step.HOUR: 1, Step.DAY: 24, Step.WEEK: 168}[step]
        # A change of the clock by some hours, or by a whole day.
        assert timedelta(0) < apart <= timedelta(hours=longest + 25)
    tz = ZoneInfo(zone)
    for point in points:
        assert point.start.astimezone(tz).minute in (0, 30)
        if step is Step.WEEK and zone != "Pacific/Apia":
            assert point.start.weekday() == 0
    if step is Step.HOUR:
        return
    # Counted again by the date that the clock shows.
    by_date = Counter(row.finished_at.astimezone(tz).date() for row in rows)
    if zone not in ("America/St_Johns", "Pacific/Apia") and step is Step.DAY:
        found = {p.start.date(): p.statistics.completed for p in points if p.statistics.completed}
        assert found == dict(by_date)


def test_the_hour_that_the_clock_shows_twice_is_two() -> None:
    # In Berlin 03:00 became 02:00 at 01:00 UTC.
    from_at = datetime(2026, 10, 24, 23, tzinfo=UTC)
    rows = [record(n, finished_at=from_at + timedelta(minutes=30 + 60 * n)) for n in range(4)]
    points = series_of_records(
        rows, from_at, from_at + timedelta(hours=4), Step.HOUR, "Europe/Berlin"
    )
    assert [point.start.hour for point in points] == [1, 2, 2, 3]
    assert [point.statistics.completed for point in points] == [1, 1, 1, 1]


def test_days_of_the_roll_up_are_filled() -> None:
    rows = rolled_up([record(n, finished_at=START + n * timedelta(days=5)) for n in range(3)])
    first, last = date(2026, 1, 1), date(2026, 1, 12)
    by_day = points_of_days(rows, first, last, Step.DAY)
    assert [point.statistics.completed for point in by_day] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    by_week = points_of_days(rows, first, last, Step.WEEK)
    assert [(p.start.date().day, p.statistics.completed) for p in by_week] == [
        (29, 1), (5, 2), (12, 0),
    ]  # fmt: skip
    with pytest.raises(dal.ValueRejectedError) as refused:
        points_of_days(rows, first, last, Step.HOUR)
    assert refused.value.field == "step"
    with pytest.raises(dal.ValueRejectedError):
        series_of_records([], START, START + timedelta(hours=10_001), Step.HOUR, "UTC")


def test_the_best_by_each_measure() -> None:
    version = {"template_id": UUID(int=9), "template_version": 2}
    rows = [
        record(1, model="a", output_tokens=10, latency_ms=1_000, cost=Decimal(1), rating=2),
        record(2, model="b", output_tokens=30, latency_ms=2_000, cost=Decimal(10), rating=5),
        record(3, model="b", output_tokens=2, latency_ms=2_000, cost=Decimal(1), **version),
        record(4, model="c", output_tokens=5),
        record(5, model="d", status=UsageStatus.FAILED),
    ]

    def best(by: Ranking, what: str = "models") -> list[Any]:
        found = ranked(rows, what, by, 10)
        return [(one.model or one.version or one.id, one.value) for one in found]

    assert best(Ranking.SPEED) == [("a", 10.0), ("b", 8.0)]
    assert best(Ranking.COST_EFFICIENCY) == [("a", 10.0), ("b", 32 / 11)]
    assert best(Ranking.RATING) == [("b", 5.0), ("a", 2.0)]
    assert best(Ranking.SPEED, "prompts") == [
        (UUID(int=2), 15.0), (UUID(int=1), 10.0), (UUID(int=3), 1.0),
    ]  # fmt: skip
    assert best(Ranking.SPEED, "template_versions") == [(2, 1.0)]
    assert len(ranked(rows, "prompts", Ranking.SPEED, 1)) == 1
