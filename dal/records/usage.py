"""What attempts took: tokens by type, prices as of a time, and cost as exact decimals.

A cost is a number of tokens times a price, both exact: prices have at most 18 decimals, so each
product and each sum has at most 18, and nothing is rounded from the price list to the total.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Context, Decimal
from enum import StrEnum
from typing import Final, TypedDict
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError

__all__ = [
    "BUCKET_BASE",
    "AttemptUsage",
    "CostComparison",
    "CostSource",
    "ModelPrice",
    "PricedUsage",
    "Recalculation",
    "TokensOfType",
    "UsageColumns",
    "UsageDay",
    "UsageItem",
    "UsageRecord",
    "UsageStatus",
    "UsageType",
    "checked_cost",
    "checked_price",
    "checked_tokens",
    "checked_type",
    "checked_usage",
    "effective_prices",
    "latency_bucket",
    "price_usage",
    "prices_from_json",
    "tokens_by_column",
]

BUCKET_BASE: Final = 1.1
"""How much longer the answers of a bucket are than those of the one below: its middle, the
geometric one, is within 4.9 % of each of them.
"""

_UNTIMED_BUCKETS: Final = 16
_MAX_TOKENS: Final = 10**12
_MAX_TYPES: Final = 32
_MAX_COST: Final = Decimal(10) ** 9
_MAX_PRICE: Final = Decimal(10) ** 6
_STEP: Final = Decimal(10) ** -18
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
# 13 digits of tokens times 30 of a price: nothing is rounded.
_EXACT: Final = Context(prec=60)


class UsageType(StrEnum):
    """The types that most models count. They are disjoint: what was read from the cache is not
    input again, what was reasoned is not output again. A model's others go by their own names.
    """

    INPUT = "input"
    OUTPUT = "output"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    REASONING = "reasoning"


_TYPES: Final = frozenset(UsageType)

# Where a price list has no price of its own for these, providers bill them so.
_BILLED_AS: Final[Mapping[str, str]] = {
    UsageType.REASONING: UsageType.OUTPUT,
    UsageType.CACHE_READ: UsageType.INPUT,
    UsageType.CACHE_WRITE: UsageType.INPUT,
}


class UsageStatus(StrEnum):
    """How an attempt ended."""

    COMPLETED = "completed"
    FAILED = "failed"


class CostSource(StrEnum):
    """Where the cost of an attempt is from: every type had a price, some had none, the caller
    said it, or nothing is known.
    """

    TABLE = "table"
    PARTIAL = "partial"
    CALLER = "caller"
    NONE = "none"


@attrs.frozen(slots=True)
class ModelPrice:
    """A price in US dollars a token, from a time on until the model's next prices begin."""

    model: str
    provider: str
    effective_from: datetime
    usage_type: str
    unit_price: Decimal


@attrs.frozen(slots=True)
class UsageItem:
    """Tokens of one type of an attempt; price and cost in US dollars, frozen when it ended.

    Both are None where the price list had none, or the caller said what the attempt cost.
    """

    prompt_id: UUID
    attempt: int
    usage_type: str
    token_count: int
    unit_price: Decimal | None
    cost: Decimal | None


@attrs.frozen(slots=True)
class UsageRecord:
    """What an attempt took: it is written when the attempt ends, and outlives its prompt.

    Times are in milliseconds, ``cost`` is in US dollars. ``user_id`` is who asked. ``rating`` is
    that of the answer, 1 to 5.
    """

    prompt_id: UUID
    attempt: int
    conversation_id: UUID
    user_id: UUID
    template_id: UUID | None
    template_version: int | None
    provider: str | None
    model: str | None
    status: UsageStatus
    error_code: str | None
    finished_at: datetime
    latency_ms: int | None
    first_token_ms: int | None
    latency_bucket: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    other_tokens: int
    cost: Decimal
    cost_source: CostSource
    rating: int | None


@attrs.frozen(slots=True)
class TokensOfType:
    """Tokens of one type."""

    usage_type: str
    token_count: int


@attrs.frozen(slots=True)
class AttemptUsage:
    """What an attempt took, and its tokens by type with the prices that they had."""

    record: UsageRecord
    items: tuple[UsageItem, ...]


@attrs.frozen(slots=True)
class CostComparison:
    """Tokens by type, and what they would cost elsewhere, in US dollars.

    ``elsewhere.source`` says whether each type has a price there.
    """

    usage: dict[str, int]
    elsewhere: PricedUsage


@attrs.frozen(slots=True)
class Recalculation:
    """How many attempts were looked at and how many cost something else now, and by how much more
    in US dollars, less where it is negative.
    """

    attempts: int
    changed: int
    difference: Decimal


class UsageColumns(TypedDict):
    """Tokens as the columns of usage have them."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    other_tokens: int


@attrs.frozen(slots=True)
class UsageDay:
    """A day of the roll-up, of one model and one class of latencies; provider and model are empty
    where nobody said them. A class below zero is of attempts that gave no timed answer.
    """

    day: date
    provider: str
    model: str
    latency_bucket: int
    completed: int
    failed: int
    latency_ms: int
    timed_tokens: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    other_tokens: int
    cost: Decimal


@attrs.frozen(slots=True)
class PricedType:
    """Tokens of one type with the price that they had, and what they cost; None: no price."""

    usage_type: str
    token_count: int
    unit_price: Decimal | None
    cost: Decimal | None


@attrs.frozen(slots=True)
class PricedUsage:
    """Usage with what it cost, in US dollars."""

    items: tuple[PricedType, ...]
    cost: Decimal
    source: CostSource

    @property
    def token_count(self) -> int:
        """Of all types."""
        return sum(item.token_count for item in self.items)

    @property
    def usage(self) -> dict[str, int]:
        """Tokens by type."""
        return {item.usage_type: item.token_count for item in self.items}


def checked_type(value: object) -> str:
    """The name of a type of tokens.

    Raises:
        ValueRejectedError: not 1 to 32 lower-case letters, digits and underscores, the first a
            letter; the field is ``usage``.
    """
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise ValueRejectedError(
            "usage: a type of tokens is named by up to 32 of a-z, 0-9 and _, first a letter",
            field="usage",
        )
    return str.__str__(value)


def checked_tokens(field: str, value: object) -> int:
    """A number of tokens. Raises ValueRejectedError: no whole number from 0 to 10^12."""
    if type(value) is not int or not 0 <= value <= _MAX_TOKENS:
        raise ValueRejectedError(
            f"{field}: tokens are a whole number, 0 to {_MAX_TOKENS}", field=field
        )
    return value


def checked_usage(value: object) -> dict[str, int]:
    """Tokens by type; None is none. A type with no tokens is left out.

    Raises:
        ValueRejectedError: no mapping of at most 32 names to whole numbers from 0 to 10^12; the
            field is ``usage``.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > _MAX_TYPES:
        raise ValueRejectedError(
            f"usage: tokens by type, as {{'input': 12, 'output': 30}}; at most {_MAX_TYPES} types",
            field="usage",
        )
    found: dict[str, int] = {}
    for name, count in value.items():
        usage_type = checked_type(name)
        if checked_tokens("usage", count):
            found[usage_type] = count
    return dict(sorted(found.items()))


def _decimal(field: str, value: object, most: Decimal, what: str) -> Decimal:
    if type(value) is int:
        value = Decimal(value)
    if (
        not isinstance(value, Decimal)
        or not value.is_finite()
        or not 0 <= value <= most
        or value != value.quantize(_STEP)
    ):
        raise ValueRejectedError(
            f"{field}: a Decimal of {what}, 0 or more, with at most 18 decimals", field=field
        )
    return abs(value.quantize(_STEP))


def checked_cost(value: object) -> Decimal:
    """A cost that is stored as it is given.

    Raises:
        ValueRejectedError: no Decimal from 0 to 10^9 of at most 18 decimals; the field is
            ``cost``.
    """
    return _decimal("cost", value, _MAX_COST, "US dollars")


def checked_price(value: object) -> Decimal:
    """A price that is stored as it is given.

    Raises:
        ValueRejectedError: no Decimal from 0 to 10^6 of at most 18 decimals; the field is
            ``unit_price``.
    """
    return _decimal("unit_price", value, _MAX_PRICE, "US dollars a token")


def effective_prices(
    prices: Iterable[ModelPrice], provider: str | None, at: datetime
) -> dict[str, Decimal]:
    """The prices of a model that hold at a time, by type.

    Of a provider those that began last. Where no provider is said, those of the only one that has
    the model; of several nobody knows which, and there are none.
    """
    begun = [
        price
        for price in prices
        if price.effective_from <= at and (provider is None or price.provider == provider)
    ]
    if len({price.provider for price in begun}) != 1:
        return {}
    last = max(price.effective_from for price in begun)
    return {p.usage_type: p.unit_price for p in begun if p.effective_from == last}


def prices_from_json(stored: Iterable[Mapping[str, str]]) -> tuple[ModelPrice, ...]:
    """Prices of the objects that a statement makes of them, all of texts.

    Raises:
        KeyError, TypeError, ValueError or ArithmeticError: it is no list of these.
    """
    return tuple(
        ModelPrice(
            model=price["model"],
            provider=price["provider"],
            effective_from=datetime.fromisoformat(f"{price['effective_from']}+00:00"),
            usage_type=price["usage_type"],
            unit_price=Decimal(price["unit_price"]),
        )
        for price in stored
    )


def _product(price: Decimal, count: int) -> Decimal:
    return _EXACT.quantize(_EXACT.multiply(price, Decimal(count)), _STEP)


def price_usage(
    usage: Mapping[str, int], prices: Mapping[str, Decimal], cost: Decimal | None = None
) -> PricedUsage:
    """What usage costs at these prices; with ``cost`` given it costs that.

    Reasoning without a price of its own is billed as output, the cache as input: so do the
    providers whose lists leave these prices out.
    """
    if cost is not None:
        unpriced = tuple(PricedType(name, count, None, None) for name, count in usage.items())
        return PricedUsage(unpriced, cost, CostSource.CALLER)
    items = []
    total = Decimal(0).quantize(_STEP)
    for name, count in usage.items():
        price = prices.get(name)
        if price is None and name in _BILLED_AS:
            price = prices.get(_BILLED_AS[name])
        paid = None if price is None else _product(price, count)
        items.append(PricedType(name, count, price, paid))
        if paid is not None:
            total = _EXACT.add(total, paid)
    priced = sum(item.unit_price is not None for item in items)
    if not priced:
        # Nothing used at known prices costs nothing, and that is known.
        source = CostSource.TABLE if prices and not items else CostSource.NONE
    else:
        source = CostSource.TABLE if priced == len(items) else CostSource.PARTIAL
    return PricedUsage(tuple(items), total, source)


def tokens_by_column(usage: Mapping[str, int]) -> UsageColumns:
    """Tokens as the columns of usage have them: five types, and the others together."""
    return {
        "input_tokens": usage.get(UsageType.INPUT, 0),
        "output_tokens": usage.get(UsageType.OUTPUT, 0),
        "cache_read_tokens": usage.get(UsageType.CACHE_READ, 0),
        "cache_write_tokens": usage.get(UsageType.CACHE_WRITE, 0),
        "reasoning_tokens": usage.get(UsageType.REASONING, 0),
        "other_tokens": sum(n for name, n in usage.items() if name not in _TYPES),
    }


def latency_bucket(status: UsageStatus, latency_ms: int | None, prompt_id: UUID) -> int:
    """Which rows of the daily roll-up an attempt counts in.

    An answer that was timed by the logarithm of its time, to the base of :data:`BUCKET_BASE`; any
    other attempt in one of 16 below zero, by its prompt, so that workers do not queue on one row.
    """
    if status is UsageStatus.COMPLETED and latency_ms is not None:
        return math.floor(math.log(max(latency_ms, 1)) / math.log(BUCKET_BASE))
    return -1 - prompt_id.int % _UNTIMED_BUCKETS
