"""The table categories. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import attrs

from dal.records.vocabulary import Category, CategoryCount
from dal.session import Executor
from dal.statements import house

__all__ = ["CategoriesGateway"]

_DELETE_ONE = house().affected("categories/delete_one")
_INSERT_MANY = house().bulk("categories/insert_many")
_LIST_BY_SLUGS = house().many("categories/list_by_slugs", Category)
_LIST_COUNTS = house().many("categories/list_counts", CategoryCount)
_LIST_VISIBLE_COUNTS = house().many("categories/list_visible_counts", CategoryCount)
_LOCK_BY_SLUGS = house().many("categories/lock_by_slugs", Category)
_UPDATE_NAME = house().affected("categories/update_name")


@attrs.frozen(slots=True)
class CategoriesGateway:
    """A method per file of ``sql/categories/``."""

    executor: Executor

    async def delete_one(self, *, category_id: UUID) -> int:
        """Delete a category that no template is filed under."""
        return await self.executor.affected(_DELETE_ONE, category_id=category_id)

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Create categories; the unique slug decides between two who create the same one."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_slugs(self, *, slugs: Sequence[str]) -> list[Category]:
        """List the categories of these slugs."""
        return await self.executor.many(_LIST_BY_SLUGS, slugs=slugs)

    async def list_counts(self, *, limit_rows: int) -> list[CategoryCount]:
        """Count the live templates of live owners by category, most used first, for the system."""
        return await self.executor.many(_LIST_COUNTS, limit_rows=limit_rows)

    async def list_visible_counts(
        self, *, actor_id: UUID | None, limit_rows: int
    ) -> list[CategoryCount]:
        """Count the live templates that the actor may see by category, most used first."""
        return await self.executor.many(
            _LIST_VISIBLE_COUNTS, actor_id=actor_id, limit_rows=limit_rows
        )

    async def lock_by_slugs(self, *, slugs: Sequence[str]) -> list[Category]:
        """Lock categories in order of their slugs, to rename or merge them."""
        return await self.executor.many(_LOCK_BY_SLUGS, slugs=slugs)

    async def update_name(
        self, *, category_id: UUID, slug: str, category_name: str, now: datetime
    ) -> int:
        """Rename a category that is locked; the unique slug may refuse it."""
        return await self.executor.affected(
            _UPDATE_NAME, category_id=category_id, slug=slug, category_name=category_name, now=now
        )
