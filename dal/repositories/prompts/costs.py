"""Prices of models, what attempts cost, and what they would cost elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from dal.errors import UniqueError, ValueRejectedError
from dal.gateways import (
    ModelPricesGateway,
    UsageDaysGateway,
    UsageItemsGateway,
    UsageRecordsGateway,
)
from dal.records.clock import check_time
from dal.records.ids import MAX_ID, check_id
from dal.records.new_prices import NewPrice
from dal.records.new_prompts import checked_word
from dal.records.usage import (
    AttemptUsage,
    CostComparison,
    ModelPrice,
    PricedUsage,
    Recalculation,
    TokensOfType,
    UsageItem,
    UsageRecord,
    checked_usage,
    effective_prices,
    price_usage,
    tokens_by_column,
)
from dal.repositories.base import changing, part
from dal.repositories.conversations.rules import absent
from dal.repositories.prompts.rules import PromptRules
from dal.session import Scope

__all__ = ["PromptCosts"]

_PRICES: Final = "model_price"
_USAGE: Final = "usage"
_WHY: Final = "prices and what was spent are the system's"
_BATCH: Final = 500
_MAX_DAYS: Final = 3_660
_MAX_MODELS: Final = 10_000
_FIRST_ATTEMPT: Final = 0

Place = tuple[datetime, UUID, int]
_Change = tuple[UsageRecord, list[UsageItem], PricedUsage]


@part("prompts.costs")
class PromptCosts(PromptRules):
    """Prices and costs: ``me.prompts.costs``. All are exact decimals of US dollars.

    What an attempt cost is written when it ends, with the prices that held then, and stays: a new
    price changes nothing that was spent, unless :meth:`recalculate` is called.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._prices = ModelPricesGateway(scope)
        self._items = UsageItemsGateway(scope)
        self._records = UsageRecordsGateway(scope)
        self._days = UsageDaysGateway(scope)

    async def list_prices(self, models: Iterable[str]) -> list[ModelPrice]:
        """All prices of these models, of all times, by model, provider, time and type.

        Raises:
            ValueRejectedError: ``models`` is no list of names, or one of more than 10,000.
        """
        names = _names(models)
        return await self._prices.list_by_models(model_names=names) if names else []

    @changing
    async def add_prices(self, prices: Iterable[NewPrice]) -> int:
        """Add prices; those that are there already, equal ones, stay as they are.

        Returns:
            How many were not there.

        Raises:
            PermissionDeniedError: the actor is not the system.
            UniqueError: another price is there of that model, provider, type and time; nothing is
                added. A price is corrected by one that holds from another time on.
            ValueRejectedError: ``prices`` holds something else, or two prices of one thing.
        """
        action = "model_price.create"
        self._only_system_changes(action, _PRICES, None, _WHY)
        wanted: dict[tuple[str, str, datetime, str], NewPrice] = {}
        for price in prices:
            if not isinstance(price, NewPrice):
                raise ValueRejectedError("prices: a list of NewPrice", field="prices")
            key = _key(price.stored)
            if wanted.setdefault(key, price).unit_price != price.unit_price:
                raise ValueRejectedError("prices: two of one thing", field="prices")
        names = _names({price.model for price in wanted.values()})
        known = {_key(price): price for price in await self.list_prices(names)}
        news = [price for key, price in wanted.items() if key not in known]
        for key, price in wanted.items():
            if key in known and known[key].unit_price != price.unit_price:
                raise UniqueError("there is another price already", constraint="pk_model_prices")
        now = self._scope.clock.now()
        await self._prices.insert_many(
            {
                "model_name": price.model,
                "provider_name": price.provider,
                "effective_from": price.effective_from,
                "usage_type": price.usage_type,
                "unit_price": price.unit_price,
                "now": now,
            }
            for price in news
        )
        await self._audit.write(action, _PRICES, None, affected=len(news), at=now)
        return len(news)

    async def estimate(
        self,
        usage: Mapping[str, int],
        *,
        model: str,
        provider: str | None = None,
        at: datetime | None = None,
    ) -> PricedUsage:
        """What usage costs on a model, at the prices of a time, by default now.

        Args:
            provider: where it is not said, that of the only one that has the model.

        Raises:
            ValueRejectedError: a field is not what it is to be; ``field`` names it.
        """
        return price_usage(checked_usage(usage), await self._prices_at(model, provider, at))

    async def get_attempts(self, prompt_id: UUID) -> list[AttemptUsage]:
        """What each attempt at a prompt took that has ended, for those who see the prompt.

        Raises:
            NotFoundError: no such live prompt for this actor.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        prompt = await self._get(check_id("prompt_id", prompt_id))
        records = await self._records.list_by_prompt(prompt_id=prompt.id)
        items = await self._items.list_by_prompts(prompt_ids=[prompt.id])
        return [
            AttemptUsage(record, tuple(i for i in items if i.attempt == record.attempt))
            for record in records
        ]

    async def compare_conversation(
        self, conversation_id: UUID, *, model: str, provider: str | None = None
    ) -> CostComparison:
        """What all attempts in a conversation would have cost on a model, at its prices of now.

        Raises:
            NotFoundError: no such live conversation for this actor.
            ValueRejectedError: a field is not what it is to be; ``field`` names it.
        """
        check_id("conversation_id", conversation_id)
        if not await self._is_there(conversation_id):
            raise absent()
        return self._compared(
            await self._items.sum_by_conversation(conversation_id=conversation_id),
            await self._prices_at(model, provider, None),
        )

    async def compare_mine(
        self, *, from_at: datetime, until_at: datetime, model: str, provider: str | None = None
    ) -> CostComparison:
        """What the actor's attempts that ended within a time would have cost on a model, at its
        prices of now.

        Raises:
            PermissionDeniedError: nobody asks, or the system.
            ValueRejectedError: a field is not what it is to be; ``field`` names it.
        """
        user_id = self._user("what one spent is somebody's")
        first, last = check_time("from_at", from_at), check_time("until_at", until_at)
        return self._compared(
            await self._items.sum_by_user(user_id=user_id, from_at=first, until_at=last),
            await self._prices_at(model, provider, None),
        )

    async def recalculate(self, *, from_at: datetime, until_at: datetime) -> Recalculation:
        """Look up again what the attempts cost that ended within a time, each at the prices of
        when it ended: for prices that came in late.

        What the caller had said an attempt cost stays. Prompts, conversations and the daily
        roll-up change with it. 500 attempts are a transaction, so one that is cut off goes on when
        it is called again.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``from_at`` or ``until_at``.
        """
        first, last = check_time("from_at", from_at), check_time("until_at", until_at)
        # Just before the first attempt that can have ended then.
        place: Place | None = (first - timedelta(microseconds=1), MAX_ID, _FIRST_ATTEMPT)
        looked_at = changed = 0
        difference = Decimal(0)
        while place is not None:
            place, batch = await self._recalculate(place, last)
            looked_at += batch.attempts
            changed += batch.changed
            difference += batch.difference
        return Recalculation(looked_at, changed, difference)

    async def rebuild_days(self, *, first: date, last: date) -> int:
        """Make the roll-up of days, UTC, anew from the attempts; one transaction a day.

        Only of days that are over: at the present one work is being counted.

        Returns:
            How many rows it has then.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``first`` or ``last`` is no date, ``last`` is not over, or they are
                more than 3,660 days.
        """
        for field, value in (("first", first), ("last", last)):
            if type(value) is not date:
                raise ValueRejectedError(f"{field}: a date is required", field=field)
        if last >= self._scope.clock.now().date():
            raise ValueRejectedError("last: a day that is over, UTC", field="last")
        if first.year <= 1000 or (last - first).days >= _MAX_DAYS:
            raise ValueRejectedError(f"first: at most {_MAX_DAYS:,} days before", field="first")
        rows = 0
        for n in range((last - first).days + 1):
            rows += await self._rebuild_days(first + timedelta(days=n))
        return rows

    # -------------------------------------------------------- a transaction each

    @changing
    async def _recalculate(
        self, after: Place, until_at: datetime
    ) -> tuple[Place | None, Recalculation]:
        """The next attempts, and where they end; None after the last ones."""
        action = "usage.recalculate"
        self._only_system_changes(action, _USAGE, None, _WHY)
        ended_at, prompt_id, attempt = after
        rows = await self._records.lock_priced(
            after_ended_at=ended_at,
            after_prompt_id=prompt_id,
            after_attempt=attempt,
            until_at=until_at,
            limit_rows=_BATCH,
        )
        changes = await self._priced_anew(rows)
        # From the parent down, in one order, and the rows that others wait for last.
        by_conversation: dict[UUID, list[_Change]] = {}
        for change in changes:
            by_conversation.setdefault(change[0].conversation_id, []).append(change)
        for conversation_id in sorted(by_conversation):
            await self._correct_conversation(conversation_id, by_conversation[conversation_id])
        for row, items, priced in changes:
            await self._write(row, items, priced)
        for row, _, priced in sorted(changes, key=lambda c: (c[0].user_id.bytes, c[0].finished_at)):
            if priced.cost != row.cost:
                await self._correct_day(row, priced.cost - row.cost)
        difference = sum((priced.cost - row.cost for row, _, priced in changes), Decimal(0))
        await self._audit.write(action, _USAGE, None, affected=len(changes))
        is_last = len(rows) < _BATCH
        place = None if is_last else (rows[-1].finished_at, rows[-1].prompt_id, rows[-1].attempt)
        return place, Recalculation(len(rows), len(changes), difference)

    @changing
    async def _rebuild_days(self, day: date) -> int:
        action = "usage.rebuild_day"
        self._only_system_changes(action, _USAGE, None, _WHY)
        from_at = datetime.combine(day, time.min, UTC)
        until_at = from_at + timedelta(days=1)
        for facet in ("template", "user"):
            await self._days.delete_day(facet=facet, from_at=from_at)
        rows = await self._days.insert_of_templates(from_at=from_at, until_at=until_at)
        rows += await self._days.insert_of_users(from_at=from_at, until_at=until_at)
        changes = {"day": {"from": None, "to": day.isoformat()}}
        await self._audit.write(action, _USAGE, None, changes=changes, affected=rows)
        return rows

    # ------------------------------------------------------------------- rules

    async def _prices_at(
        self, model: str, provider: str | None, at: datetime | None
    ) -> dict[str, Decimal]:
        name = checked_word("model", model, 200)
        of = None if provider is None else checked_word("provider", provider, 100)
        when = self._scope.clock.now() if at is None else check_time("at", at)
        return effective_prices(await self._prices.list_by_models(model_names=[name]), of, when)

    def _compared(
        self, tokens: Iterable[TokensOfType], prices: Mapping[str, Decimal]
    ) -> CostComparison:
        usage = {found.usage_type: found.token_count for found in tokens}
        return CostComparison(usage, price_usage(usage, prices))

    async def _priced_anew(self, rows: list[UsageRecord]) -> list[_Change]:
        """The attempts whose price is another one now, with their items."""
        if not rows:
            return []
        items: dict[tuple[UUID, int], list[UsageItem]] = {}
        for item in await self._items.list_by_prompts(
            prompt_ids=sorted({row.prompt_id for row in rows})
        ):
            items.setdefault((item.prompt_id, item.attempt), []).append(item)
        prices: dict[str, list[ModelPrice]] = {}
        for price in await self.list_prices({row.model for row in rows if row.model is not None}):
            prices.setdefault(price.model, []).append(price)
        changed = []
        for row in rows:
            of_row = items.get((row.prompt_id, row.attempt), [])
            usage = {item.usage_type: item.token_count for item in of_row}
            known = effective_prices(prices.get(row.model or "", ()), row.provider, row.finished_at)
            priced = price_usage(usage, known)
            before = [(item.usage_type, item.unit_price) for item in of_row]
            after = [(item.usage_type, item.unit_price) for item in priced.items]
            if (row.cost, row.cost_source, before) != (priced.cost, priced.source, after):
                changed.append((row, of_row, priced))
        return changed

    async def _correct_conversation(self, conversation_id: UUID, changes: list[_Change]) -> None:
        """Change the costs of prompts, and what the live ones cost together; not of purged ones."""
        locked = await self._conversations.lock_including_deleted(conversation_id=conversation_id)
        if locked is None:
            return
        of_live = Decimal(0)
        for row, _, priced in changes:
            by = priced.cost - row.cost
            if by:
                await self._prompts.add_cost(prompt_id=row.prompt_id, cost=by)
                if await self._prompts.lock_live(prompt_id=row.prompt_id) is not None:
                    of_live += by
        if of_live:
            await self._conversations.add_cost(conversation_id=conversation_id, cost=of_live)

    async def _write(self, row: UsageRecord, items: list[UsageItem], priced: PricedUsage) -> None:
        await self._records.update_cost(
            prompt_id=row.prompt_id,
            attempt=row.attempt,
            cost=priced.cost,
            cost_source=priced.source,
        )
        for before, after in zip(items, priced.items, strict=True):
            if before.unit_price != after.unit_price:
                await self._items.update_price(
                    prompt_id=row.prompt_id,
                    attempt=row.attempt,
                    usage_type=after.usage_type,
                    frozen_price=after.unit_price,
                    type_cost=after.cost,
                )

    async def _correct_day(self, row: UsageRecord, by: Decimal) -> None:
        """Change the cost in the roll-up, and nothing else of it."""
        await self._days.add(
            template_id=row.template_id,
            template_version=row.template_version,
            author_id=row.user_id,
            provider=row.provider,
            model=row.model,
            ended_at=row.finished_at,
            latency_bucket=row.latency_bucket,
            completed_count=0,
            failed_count=0,
            timed_ms=0,
            timed_tokens=0,
            cost=by,
            **tokens_by_column({}),
        )


def _key(price: ModelPrice) -> tuple[str, str, datetime, str]:
    return price.model, price.provider, price.effective_from, price.usage_type


def _names(models: Iterable[str]) -> list[str]:
    names = None if isinstance(models, (str, bytes)) else list(models)
    if names is None or len(names) > _MAX_MODELS:
        raise ValueRejectedError(f"models: a list of at most {_MAX_MODELS:,} names", field="models")
    return sorted({checked_word("model", name, 200) for name in names})
