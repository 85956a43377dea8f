"""The table categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from dal.records.vocabulary import Category, CategoryCount
from dal.session import Executor
from dal.statements import house

__all__ = ["CategoriesGateway"]

_INSERT_MANY = house().bulk("categories/insert_many")
_LIST_BY_SLUGS = house().many("categories/list_by_slugs", Category)
_LIST_COUNTS = house().many("categories/list_counts", CategoryCount)


@attrs.frozen(slots=True)
class CategoriesGateway:
    """A method per file of ``sql/categories/``."""

    executor: Executor

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Create categories; the unique slug decides between two who create the same one."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_slugs(self, *, slugs: Sequence[str]) -> list[Category]:
        """List the categories of these slugs."""
        return await self.executor.many(_LIST_BY_SLUGS, slugs=slugs)

    async def list_counts(self, *, limit_rows: int) -> list[CategoryCount]:
        """Count the live templates of live owners by category, for the system."""
        return await self.executor.many(_LIST_COUNTS, limit_rows=limit_rows)
