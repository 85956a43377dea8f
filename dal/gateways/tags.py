"""The table tags. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import attrs

from dal.records.vocabulary import Tag, TagCount
from dal.session import Executor
from dal.statements import house

__all__ = ["TagsGateway"]

_INSERT_MANY = house().bulk("tags/insert_many")
_LIST_BY_KEYS = house().many("tags/list_by_keys", Tag)
_LIST_COUNTS = house().many("tags/list_counts", TagCount)
_LIST_VISIBLE_COUNTS = house().many("tags/list_visible_counts", TagCount)


@attrs.frozen(slots=True)
class TagsGateway:
    """A method per file of ``sql/tags/``."""

    executor: Executor

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Create tags; the unique key decides between two who create the same one."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_keys(self, *, tag_keys: Sequence[str]) -> list[Tag]:
        """List the tags of these keys, compared byte by byte."""
        return await self.executor.many(_LIST_BY_KEYS, tag_keys=tag_keys)

    async def list_counts(self, *, limit_rows: int) -> list[TagCount]:
        """Count the live templates of live owners by tag, most used first, for the system."""
        return await self.executor.many(_LIST_COUNTS, limit_rows=limit_rows)

    async def list_visible_counts(
        self, *, actor_id: UUID | None, limit_rows: int
    ) -> list[TagCount]:
        """Count the live templates that the actor may see by tag, most used first."""
        return await self.executor.many(
            _LIST_VISIBLE_COUNTS, actor_id=actor_id, limit_rows=limit_rows
        )
