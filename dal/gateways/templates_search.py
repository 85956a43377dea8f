"""The table templates_search. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import attrs

from dal.records.search import SearchDocument
from dal.session import Executor
from dal.statements import house

__all__ = ["TemplatesSearchGateway"]

_DELETE_ONE = house().affected("templates_search/delete_one")
_INSERT_MANY = house().bulk("templates_search/insert_many")
_LIST_DOCUMENTS = house().many("templates_search/list_documents", SearchDocument)
_UPSERT = house().affected("templates_search/upsert")


@attrs.frozen(slots=True)
class TemplatesSearchGateway:
    """A method per file of ``sql/templates_search/``."""

    executor: Executor

    async def delete_one(self, *, template_id: UUID) -> int:
        """Take the text of a locked template out of the search."""
        return await self.executor.affected(_DELETE_ONE, template_id=template_id)

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Put texts of live templates into the search."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_documents(self, *, after_id: UUID, limit_rows: int) -> list[SearchDocument]:
        """Page through the texts of the search, to count their words."""
        return await self.executor.many(_LIST_DOCUMENTS, after_id=after_id, limit_rows=limit_rows)

    async def upsert(
        self, *, template_id: UUID, is_public: bool, terms: int, tokens: str, now: datetime
    ) -> int:
        """Put the text of a locked template into the search, in the place of what was there."""
        return await self.executor.affected(
            _UPSERT,
            template_id=template_id,
            is_public=is_public,
            terms=terms,
            tokens=tokens,
            now=now,
        )
