"""Writing down what an attempt took, in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict
from uuid import UUID

import attrs

from dal.gateways import UsageDaysGateway, UsageItemsGateway, UsageRecordsGateway
from dal.records.usage import PricedUsage, UsageStatus, latency_bucket, tokens_by_column
from dal.session import Scope

__all__ = ["EndedAttempt", "UsageWriter"]


@attrs.frozen(slots=True, kw_only=True)
class EndedAttempt:
    """An attempt that has ended, and whose it is."""

    prompt_id: UUID
    attempt: int
    conversation_id: UUID
    author_id: UUID
    template_id: UUID | None
    template_version: int | None
    provider: str | None
    model: str | None
    usage_status: UsageStatus
    error_code: str | None
    ended_at: datetime
    latency_ms: int | None
    first_token_ms: int | None

    @property
    def latency_bucket(self) -> int:
        """Which rows of the daily roll-up it counts in."""
        return latency_bucket(self.usage_status, self.latency_ms, self.prompt_id)


class UsageWriter:
    """Usage, its items and the daily roll-up, in two steps.

    The record first, which nobody else writes; the roll-up last in the transaction, since others
    wait for its rows.
    """

    def __init__(self, scope: Scope) -> None:
        self._days = UsageDaysGateway(scope)
        self._items = UsageItemsGateway(scope)
        self._records = UsageRecordsGateway(scope)

    async def write(self, ended: EndedAttempt, priced: PricedUsage) -> None:
        """Write what the attempt took, with the prices that it had."""
        await self._records.insert(
            **attrs.asdict(ended),
            **tokens_by_column(priced.usage),
            latency_bucket=ended.latency_bucket,
            cost=priced.cost,
            cost_source=priced.source,
        )
        await self._items.insert_many(
            {
                "prompt_id": ended.prompt_id,
                "attempt": ended.attempt,
                "usage_type": item.usage_type,
                "type_tokens": item.token_count,
                "frozen_price": item.unit_price,
                "type_cost": item.cost,
            }
            for item in priced.items
        )

    async def count(self, ended: EndedAttempt, priced: PricedUsage) -> None:
        """Count the attempt in the rows of its day."""
        usage = priced.usage
        await self._days.add(
            template_id=ended.template_id,
            template_version=ended.template_version,
            author_id=ended.author_id,
            provider=ended.provider,
            model=ended.model,
            ended_at=ended.ended_at,
            latency_bucket=ended.latency_bucket,
            cost=priced.cost,
            **_counted(ended.latency_bucket, ended.usage_status, ended.latency_ms, usage),
            **tokens_by_column(usage),
        )


class _Counted(TypedDict):
    completed_count: int
    failed_count: int
    timed_ms: int
    timed_tokens: int


def _counted(
    bucket: int, status: UsageStatus, latency_ms: int | None, usage: Mapping[str, int]
) -> _Counted:
    """What an attempt adds to the counts of its rows, beside tokens and cost."""
    is_timed = bucket >= 0
    return {
        "completed_count": int(status is UsageStatus.COMPLETED),
        "failed_count": int(status is UsageStatus.FAILED),
        "timed_ms": latency_ms or 0 if is_timed else 0,
        "timed_tokens": usage.get("output", 0) + usage.get("reasoning", 0) if is_timed else 0,
    }
