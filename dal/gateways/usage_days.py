"""The table usage_days. Written from the .sql files: edit those."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import attrs

from dal.records.usage import UsageDay
from dal.session import Executor
from dal.statements import house

__all__ = ["UsageDaysGateway"]

_ADD = house().affected("usage_days/add")
_DELETE_DAY = house().affected("usage_days/delete_day")
_INSERT_OF_TEMPLATES = house().affected("usage_days/insert_of_templates")
_INSERT_OF_USERS = house().affected("usage_days/insert_of_users")
_LIST_ALL = house().many("usage_days/list_all", UsageDay)
_LIST_BY_MODEL = house().many("usage_days/list_by_model", UsageDay)
_LIST_BY_TEMPLATE = house().many("usage_days/list_by_template", UsageDay)
_LIST_BY_USER = house().many("usage_days/list_by_user", UsageDay)


@attrs.frozen(slots=True)
class UsageDaysGateway:
    """A method per file of ``sql/usage_days/``."""

    executor: Executor

    async def add(
        self,
        *,
        template_id: UUID | None,
        template_version: int | None,
        author_id: UUID,
        provider: str | None,
        model: str | None,
        ended_at: datetime,
        latency_bucket: int,
        completed_count: int,
        failed_count: int,
        timed_ms: int,
        timed_tokens: int,
        input_tokens: int,
        output_tokens: int,
        cache_read_tokens: int,
        cache_write_tokens: int,
        reasoning_tokens: int,
        other_tokens: int,
        cost: Decimal,
    ) -> int:
        """Count an attempt in the roll-up of its day: of its template, and of who asked."""
        return await self.executor.affected(
            _ADD,
            template_id=template_id,
            template_version=template_version,
            author_id=author_id,
            provider=provider,
            model=model,
            ended_at=ended_at,
            latency_bucket=latency_bucket,
            completed_count=completed_count,
            failed_count=failed_count,
            timed_ms=timed_ms,
            timed_tokens=timed_tokens,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=cache_read_tokens,
            cache_write_tokens=cache_write_tokens,
            reasoning_tokens=reasoning_tokens,
            other_tokens=other_tokens,
            cost=cost,
        )

    async def delete_day(self, *, facet: str, from_at: datetime) -> int:
        """Remove the roll-up of a day, by template or by user, before it is made anew."""
        return await self.executor.affected(_DELETE_DAY, facet=facet, from_at=from_at)

    async def insert_of_templates(self, *, from_at: datetime, until_at: datetime) -> int:
        """Make the roll-up of a day anew from its attempts: a row a template version."""
        return await self.executor.affected(
            _INSERT_OF_TEMPLATES, from_at=from_at, until_at=until_at
        )

    async def insert_of_users(self, *, from_at: datetime, until_at: datetime) -> int:
        """Make the roll-up of a day anew from its attempts: a row a user."""
        return await self.executor.affected(_INSERT_OF_USERS, from_at=from_at, until_at=until_at)

    async def list_all(
        self, *, from_day: datetime, to_day: datetime, limit_rows: int
    ) -> list[UsageDay]:
        """Sum the roll-up of some days by day, model and latency."""
        return await self.executor.many(
            _LIST_ALL, from_day=from_day, to_day=to_day, limit_rows=limit_rows
        )

    async def list_by_model(
        self, *, model_name: str, from_day: datetime, to_day: datetime, limit_rows: int
    ) -> list[UsageDay]:
        """Sum the roll-up of a model by day and latency."""
        return await self.executor.many(
            _LIST_BY_MODEL,
            model_name=model_name,
            from_day=from_day,
            to_day=to_day,
            limit_rows=limit_rows,
        )

    async def list_by_template(
        self,
        *,
        template_id: UUID,
        lowest_version: int,
        highest_version: int,
        from_day: datetime,
        to_day: datetime,
        limit_rows: int,
    ) -> list[UsageDay]:
        """Sum the roll-up of versions of a template by day, model and latency."""
        return await self.executor.many(
            _LIST_BY_TEMPLATE,
            template_id=template_id,
            lowest_version=lowest_version,
            highest_version=highest_version,
            from_day=from_day,
            to_day=to_day,
            limit_rows=limit_rows,
        )

    async def list_by_user(
        self, *, user_id: UUID, from_day: datetime, to_day: datetime, limit_rows: int
    ) -> list[UsageDay]:
        """Sum the roll-up of a user by day, model and latency."""
        return await self.executor.many(
            _LIST_BY_USER, user_id=user_id, from_day=from_day, to_day=to_day, limit_rows=limit_rows
        )
