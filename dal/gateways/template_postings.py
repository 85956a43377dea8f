"""The table template_postings. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import attrs

from dal.records.search import TermCount
from dal.session import Executor
from dal.statements import house

__all__ = ["TemplatePostingsGateway"]

_DELETE_BY_TEMPLATE = house().affected("template_postings/delete_by_template")
_INSERT_MANY = house().bulk("template_postings/insert_many")
_LIST_FREQUENCIES = house().many("template_postings/list_frequencies", TermCount)
_UPDATE_SCOPE = house().affected("template_postings/update_scope")


@attrs.frozen(slots=True)
class TemplatePostingsGateway:
    """A method per file of ``sql/template_postings/``."""

    executor: Executor

    async def delete_by_template(self, *, template_id: UUID) -> int:
        """Have a template that is locked not found by its words any more."""
        return await self.executor.affected(_DELETE_BY_TEMPLATE, template_id=template_id)

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Have templates that are locked found by their words."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_frequencies(
        self, *, search_terms: Sequence[int], limit_rows: int
    ) -> list[TermCount]:
        """Count the public templates of live owners that hold each of some terms."""
        return await self.executor.many(
            _LIST_FREQUENCIES, search_terms=search_terms, limit_rows=limit_rows
        )

    async def update_scope(
        self, *, template_ids: Sequence[UUID], old_owner_id: UUID, owner_id: UUID
    ) -> int:
        """Have private templates that are locked found by their new owner."""
        return await self.executor.affected(
            _UPDATE_SCOPE, template_ids=template_ids, old_owner_id=old_owner_id, owner_id=owner_id
        )
