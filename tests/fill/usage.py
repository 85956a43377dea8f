"""Prices of models, what attempts took, and the daily roll-up of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from dal.records.usage import UsageStatus, latency_bucket
from tests.fill.conversations import (
    conversation_id,
    conversation_owner,
    n_conversations,
    n_prompts,
    prompt_attempts,
    prompt_created_at,
    prompt_id,
    prompt_numbers,
    prompt_status,
)
from tests.fill.sizes import START, Row, Tables
from tests.fill.templates import template_id
from tests.fill.users import user_id

__all__ = [
    "A_DAY_NOT_ROLLED_UP",
    "DAY_SUMS",
    "NO_SUBJECT",
    "ended",
    "model_prices",
    "rolled_up",
    "usage_days",
    "usage_items",
    "usage_record",
    "usage_records",
]

NO_SUBJECT: Final = UUID(int=0)
"""What stands for a template in the roll-up where there is none."""

A_DAY_NOT_ROLLED_UP: Final = (START + timedelta(days=9)).date()

_TYPES: Final = ("input", "output", "cache_read", "cache_write", "reasoning", "audio")
DAY_SUMS: Final = (
    "completed", "failed", "latency_ms", "timed_tokens", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "other_tokens", "cost",
)  # fmt: skip
"""What the roll-up adds up."""


def model_prices(factor: int) -> Iterator[Row]:
    """Ten models a size; each with prices of two times, every fifth of two providers."""
    for n in range(10 * factor):
        for provider in ("a-provider", "b-provider")[: 1 + (n % 5 == 0)]:
            for month in range(2):
                for place, usage_type in enumerate(("input", "output")):
                    yield {
                        "model": "a-model" if n == 0 else f"model-{n}",
                        "provider": provider,
                        "effective_from": START + timedelta(days=30 * month),
                        "usage_type": usage_type,
                        "unit_price": Decimal(1 + n + place + month) / 10**9,
                        "created_at": START,
                    }


def _tokens(k: int) -> tuple[int, ...]:
    """By type, together those of the prompt."""
    return 90, k, 5, 2, 2, 1


def _model(k: int) -> tuple[str | None, str | None]:
    """Provider and model of prompt ``k``."""
    return (None, "b-model") if k % 3 == 0 else ("a-provider", "a-model")


def ended(factor: int) -> Iterator[tuple[int, int, int]]:
    """Conversations, prompts and attempts that have ended, the deleted ones too.

    Of the ninth both, which ended at the same time.
    """
    for n in range(n_conversations(factor)):
        for k in range(1, n_prompts(n) + 1):
            if prompt_status(k) in ("completed", "failed"):
                last = prompt_attempts(k)
                yield from ((n, k, attempt) for attempt in ((1, 2) if last == 2 else (last,)))


def usage_record(n: int, k: int, attempt: int, factor: int) -> dict[str, object]:
    """What an attempt at prompt ``k`` of conversation ``n`` took."""
    status = prompt_status(k) if attempt == prompt_attempts(k) else "failed"
    provider, model = _model(k)
    inputs, outputs, read, written, reasoned, others = _tokens(k)
    timed = None if k % 7 == 1 else 100 * k
    return {
        "prompt_id": prompt_id(n, k),
        "attempt": attempt,
        "conversation_id": conversation_id(n),
        "user_id": user_id(conversation_owner(n, factor)),
        "template_id": template_id(0) if k % 4 == 0 else None,
        "template_version": 1 if k % 4 == 0 else None,
        "provider": provider,
        "model": model,
        "status": status,
        "error_code": "timeout" if status == "failed" else None,
        "finished_at": prompt_created_at(n, k),
        "latency_ms": timed,
        "first_token_ms": None if k % 2 else 10 * k,
        "latency_bucket": latency_bucket(UsageStatus(status), timed, prompt_id(n, k)),
        "input_tokens": inputs,
        "output_tokens": outputs,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "reasoning_tokens": reasoned,
        "other_tokens": others,
        "cost": prompt_numbers(k)[1],
        "cost_source": "table" if k % 2 else "caller",
        "rating": 4 if k == 2 else None,
    }


def usage_records(factor: int) -> Iterator[Row]:
    """One an attempt that has ended."""
    for n, k, attempt in ended(factor):
        yield usage_record(n, k, attempt, factor)


def usage_items(factor: int) -> Iterator[Row]:
    """Of a tenth of the conversations, six a record."""
    for n, k, attempt in ended(factor):
        if n % 10:
            continue
        for usage_type, tokens in zip(_TYPES, _tokens(k), strict=True):
            price = Decimal(k) / 10**9 if k % 2 else None
            yield {
                "prompt_id": prompt_id(n, k),
                "attempt": attempt,
                "usage_type": usage_type,
                "token_count": tokens + attempt,
                "unit_price": price,
                "cost": None if price is None else price * (tokens + attempt),
            }


def usage_days(factor: int) -> Iterator[Row]:
    """The records, added up a day, but for one day that is to be made anew."""
    return (row for row in rolled_up(factor) if row["day"] != A_DAY_NOT_ROLLED_UP)


def rolled_up(
    factor: int, counts: Callable[[dict[str, object]], bool] = lambda _: True
) -> Iterator[dict[str, object]]:
    """The records that count, added up a day: by template version and by user."""
    days: dict[tuple[object, ...], dict[str, object]] = {}
    for n, k, attempt in ended(factor):
        record = usage_record(n, k, attempt, factor)
        if not counts(record):
            continue
        at, bucket = record["finished_at"], record["latency_bucket"]
        assert isinstance(at, datetime)
        assert isinstance(bucket, int)
        is_timed = bucket >= 0
        sums = {
            **{name: record[name] for name in DAY_SUMS if name in record},
            "completed": int(record["status"] == "completed"),
            "failed": int(record["status"] == "failed"),
            "latency_ms": record["latency_ms"] if is_timed else 0,
            "timed_tokens": k + 2 if is_timed else 0,
        }
        subjects = (
            ("template", record["template_id"] or NO_SUBJECT, record["template_version"] or 0),
            ("user", record["user_id"], 0),
        )
        for facet, subject, version in subjects:
            key = {
                "facet": facet,
                "subject_id": subject,
                "day": at.date(),
                "template_version": version,
                "provider": record["provider"] or "",
                "model": record["model"] or "",
                "latency_bucket": bucket,
            }
            day = days.setdefault(tuple(key.values()), {**key, **dict.fromkeys(DAY_SUMS, 0)})
            for name in DAY_SUMS:
                day[name] += sums[name]  # type: ignore[operator]
    yield from days.values()


TABLES: Final[Tables] = {
    "model_prices": model_prices,
    "usage_records": usage_records,
    "usage_items": usage_items,
    "usage_days": usage_days,
}
