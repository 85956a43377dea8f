"""The table usage_items. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import attrs

from dal.records.usage import TokensOfType, UsageItem
from dal.session import Executor
from dal.statements import house

__all__ = ["UsageItemsGateway"]

_INSERT_MANY = house().bulk("usage_items/insert_many")
_LIST_BY_PROMPTS = house().many("usage_items/list_by_prompts", UsageItem)
_SUM_BY_CONVERSATION = house().many("usage_items/sum_by_conversation", TokensOfType)
_SUM_BY_USER = house().many("usage_items/sum_by_user", TokensOfType)
_UPDATE_PRICE = house().affected("usage_items/update_price")


@attrs.frozen(slots=True)
class UsageItemsGateway:
    """A method per file of ``sql/usage_items/``."""

    executor: Executor

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Record the tokens of an attempt by type, with the prices that they had."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_prompts(self, *, prompt_ids: Sequence[UUID]) -> list[UsageItem]:
        """List the tokens of all attempts at these prompts by type, with their prices."""
        return await self.executor.many(_LIST_BY_PROMPTS, prompt_ids=prompt_ids)

    async def sum_by_conversation(self, *, conversation_id: UUID) -> list[TokensOfType]:
        """Count the tokens that a conversation took, by type, of all attempts."""
        return await self.executor.many(_SUM_BY_CONVERSATION, conversation_id=conversation_id)

    async def sum_by_user(
        self, *, user_id: UUID, from_at: datetime, until_at: datetime
    ) -> list[TokensOfType]:
        """Count the tokens that a user's attempts took which ended within a time, by type."""
        return await self.executor.many(
            _SUM_BY_USER, user_id=user_id, from_at=from_at, until_at=until_at
        )

    async def update_price(
        self,
        *,
        prompt_id: UUID,
        attempt: int,
        usage_type: str,
        frozen_price: Decimal | None,
        type_cost: Decimal | None,
    ) -> int:
        """Write the price that tokens of an attempt have after it was looked up again."""
        return await self.executor.affected(
            _UPDATE_PRICE,
            prompt_id=prompt_id,
            attempt=attempt,
            usage_type=usage_type,
            frozen_price=frozen_price,
            type_cost=type_cost,
        )
