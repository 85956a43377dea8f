"""Prices and costs against decimal arithmetic, buckets of latencies against their bounds."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import cast
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from dal.records.usage import (
    BUCKET_BASE,
    CostSource,
    ModelPrice,
    UsageStatus,
    effective_prices,
    latency_bucket,
    price_usage,
    prices_from_json,
    tokens_by_column,
)

EXACT = Context(prec=200)
START = datetime(2026, 1, 1, tzinfo=UTC)
types = st.sampled_from(["input", "output", "cache_read", "cache_write", "reasoning", "audio"])
usages = st.dictionaries(types, st.integers(1, 10**12))
prices = st.dictionaries(types, st.decimals(0, 10**6, places=18))
lists = st.lists(
    st.builds(
        ModelPrice,
        model=st.just("m"),
        provider=st.sampled_from("pq"),
        effective_from=st.integers(0, 4).map(lambda n: START + timedelta(days=n)),
        usage_type=types,
        unit_price=st.decimals(0, 10**6, places=18),
    ),
    unique_by=lambda price: (price.provider, price.effective_from, price.usage_type),
)


@given(usage=usages, known=prices)
def test_a_cost_is_the_sum_of_tokens_times_price(
    usage: dict[str, int], known: dict[str, Decimal]
) -> None:
    instead = {"reasoning": "output", "cache_read": "input", "cache_write": "input"}
    total, unpriced = Decimal(0), 0
    for name, tokens in usage.items():
        price = known.get(name, known.get(instead.get(name, "")))
        if price is None:
            unpriced += 1
        else:
            total = EXACT.add(total, EXACT.multiply(price, tokens))
    found = price_usage(usage, known)
    assert (found.cost, found.token_count, found.usage) == (total, sum(usage.values()), usage)
    assert EXACT.subtract(found.cost, total) == 0
    assert -int(found.cost.as_tuple().exponent) == 18
    if unpriced == len(usage):
        assert found.source is (CostSource.TABLE if known and not usage else CostSource.NONE)
    else:
        assert found.source is (CostSource.PARTIAL if unpriced else CostSource.TABLE)
    said = price_usage(usage, known, Decimal(7))
    assert (said.cost, said.source) == (Decimal(7), CostSource.CALLER)
    assert all(item.unit_price is item.cost is None for item in said.items)
    columns = tokens_by_column(usage)
    assert sum(cast(dict[str, int], columns).values()) == found.token_count
    assert columns["other_tokens"] == usage.get("audio", 0)


@given(known=lists, day=st.integers(-1, 6), provider=st.sampled_from(["p", "q", None]))
def test_the_prices_that_began_last_hold(
    known: list[ModelPrice], day: int, provider: str | None
) -> None:
    at = START + timedelta(days=day)
    begun = [p for p in known if p.effective_from <= at and provider in (None, p.provider)]
    found = effective_prices(known, provider, at)
    if len({p.provider for p in begun}) != 1:
        assert found == {}
        return
    last = max(p.effective_from for p in begun)
    assert found == {p.usage_type: p.unit_price for p in begun if p.effective_from == last}
    stored = [
        {
            "model": p.model, "provider": p.provider, "usage_type": p.usage_type,
            "unit_price": str(p.unit_price),
            "effective_from": f"{p.effective_from:%Y-%m-%d %H:%M:%S.%f}",
        }
        for p in known
    ]  # fmt: skip
    assert prices_from_json(stored) == tuple(known)


@given(latency=st.integers(0, 2**32 - 1), prompt_id=st.uuids())
def test_an_answer_is_within_its_bucket(latency: int, prompt_id: UUID) -> None:
    bucket = latency_bucket(UsageStatus.COMPLETED, latency, prompt_id)
    assert 0 <= bucket <= 232
    low = BUCKET_BASE**bucket
    # To the rounding of a logarithm.
    assert low <= max(latency, 1) * (1 + 1e-9)
    assert max(latency, 1) < low * BUCKET_BASE * (1 + 1e-9)
    middle = low * math.sqrt(BUCKET_BASE)
    assert latency < 2 or abs(middle - latency) / latency < 0.05
    for status, time in ((UsageStatus.FAILED, latency), (UsageStatus.COMPLETED, None)):
        assert -16 <= latency_bucket(status, time, prompt_id) <= -1
