"""The table tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from dal.records.vocabulary import Tag
from dal.session import Executor
from dal.statements import house

__all__ = ["TagsGateway"]

_INSERT_MANY = house().bulk("tags/insert_many")
_LIST_BY_KEYS = house().many("tags/list_by_keys", Tag)


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
