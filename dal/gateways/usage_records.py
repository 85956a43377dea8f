"""The table usage_records. Written from the .sql files: edit those."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import attrs

from dal.records.usage import UsageRecord
from dal.session import Executor
from dal.statements import house

__all__ = ["UsageRecordsGateway"]

_INSERT = house().affected("usage_records/insert")
_LIST_ALL = house().many("usage_records/list_all", UsageRecord)
_LIST_BY_CONVERSATION = house().many("usage_records/list_by_conversation", UsageRecord)
_LIST_BY_MODEL = house().many("usage_records/list_by_model", UsageRecord)
_LIST_BY_PROMPT = house().many("usage_records/list_by_prompt", UsageRecord)
_LIST_BY_TEMPLATE = house().many("usage_records/list_by_template", UsageRecord)
_LIST_BY_USER = house().many("usage_records/list_by_user", UsageRecord)
_LOCK_PRICED = house().many("usage_records/lock_priced", UsageRecord)
_UPDATE_COST = house().affected("usage_records/update_cost")
_UPDATE_RATING = house().affected("usage_records/update_rating")


@attrs.frozen(slots=True)
class UsageRecordsGateway:
    """A method per file of ``sql/usage_records/``."""

    executor: Executor

    async def insert(
        self,
        *,
        prompt_id: UUID,
        attempt: int,
        conversation_id: UUID,
        author_id: UUID,
        template_id: UUID | None,
        template_version: int | None,
        provider: str | None,
        model: str | None,
        usage_status: str,
        error_code: str | None,
        ended_at: datetime,
        latency_ms: int | None,
        first_token_ms: int | None,
        latency_bucket: int,
        input_tokens: int,
        output_tokens: int,
        cache_read_tokens: int,
        cache_write_tokens: int,
        reasoning_tokens: int,
        other_tokens: int,
        cost: Decimal,
        cost_source: str,
    ) -> int:
        """Record what an attempt took that has ended; once for each attempt."""
        return await self.executor.affected(
            _INSERT,
            prompt_id=prompt_id,
            attempt=attempt,
            conversation_id=conversation_id,
            author_id=author_id,
            template_id=template_id,
            template_version=template_version,
            provider=provider,
            model=model,
            usage_status=usage_status,
            error_code=error_code,
            ended_at=ended_at,
            latency_ms=latency_ms,
            first_token_ms=first_token_ms,
            latency_bucket=latency_bucket,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=cache_read_tokens,
            cache_write_tokens=cache_write_tokens,
            reasoning_tokens=reasoning_tokens,
            other_tokens=other_tokens,
            cost=cost,
            cost_source=cost_source,
        )

    async def list_all(
        self, *, from_at: datetime, until_at: datetime, limit_rows: int
    ) -> list[UsageRecord]:
        """List all attempts that ended within a time, in order."""
        return await self.executor.many(
            _LIST_ALL, from_at=from_at, until_at=until_at, limit_rows=limit_rows
        )

    async def list_by_conversation(
        self, *, conversation_id: UUID, from_at: datetime, until_at: datetime, limit_rows: int
    ) -> list[UsageRecord]:
        """List the attempts of a conversation that ended within a time, in order."""
        return await self.executor.many(
            _LIST_BY_CONVERSATION,
            conversation_id=conversation_id,
            from_at=from_at,
            until_at=until_at,
            limit_rows=limit_rows,
        )

    async def list_by_model(
        self, *, model_name: str, from_at: datetime, until_at: datetime, limit_rows: int
    ) -> list[UsageRecord]:
        """List the attempts of a model that ended within a time, in order."""
        return await self.executor.many(
            _LIST_BY_MODEL,
            model_name=model_name,
            from_at=from_at,
            until_at=until_at,
            limit_rows=limit_rows,
        )

    async def list_by_prompt(self, *, prompt_id: UUID) -> list[UsageRecord]:
        """List what the attempts at a prompt took that have ended."""
        return await self.executor.many(_LIST_BY_PROMPT, prompt_id=prompt_id)

    async def list_by_template(
        self,
        *,
        template_id: UUID,
        lowest_version: int,
        highest_version: int,
        from_at: datetime,
        until_at: datetime,
        limit_rows: int,
    ) -> list[UsageRecord]:
        """List the attempts of versions of a template that ended within a time, in order."""
        return await self.executor.many(
            _LIST_BY_TEMPLATE,
            template_id=template_id,
            lowest_version=lowest_version,
            highest_version=highest_version,
            from_at=from_at,
            until_at=until_at,
            limit_rows=limit_rows,
        )

    async def list_by_user(
        self, *, user_id: UUID, from_at: datetime, until_at: datetime, limit_rows: int
    ) -> list[UsageRecord]:
        """List a user's attempts that ended within a time, in order."""
        return await self.executor.many(
            _LIST_BY_USER,
            user_id=user_id,
            from_at=from_at,
            until_at=until_at,
            limit_rows=limit_rows,
        )

    async def lock_priced(
        self,
        *,
        after_ended_at: datetime,
        after_prompt_id: UUID,
        after_attempt: int,
        until_at: datetime,
        limit_rows: int,
    ) -> list[UsageRecord]:
        """Lock attempts that ended within a time and were priced here, some at a time."""
        return await self.executor.many(
            _LOCK_PRICED,
            after_ended_at=after_ended_at,
            after_prompt_id=after_prompt_id,
            after_attempt=after_attempt,
            until_at=until_at,
            limit_rows=limit_rows,
        )

    async def update_cost(
        self, *, prompt_id: UUID, attempt: int, cost: Decimal, cost_source: str
    ) -> int:
        """Write what an attempt costs after its prices were looked up again."""
        return await self.executor.affected(
            _UPDATE_COST, prompt_id=prompt_id, attempt=attempt, cost=cost, cost_source=cost_source
        )

    async def update_rating(
        self, *, prompt_id: UUID, attempt: int, prompt_rating: int | None
    ) -> int:
        """Write the rating of an answer beside what the answer took."""
        return await self.executor.affected(
            _UPDATE_RATING, prompt_id=prompt_id, attempt=attempt, prompt_rating=prompt_rating
        )
