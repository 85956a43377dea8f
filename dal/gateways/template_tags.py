"""The table template_tags. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

import attrs

from dal.session import Executor
from dal.statements import house

__all__ = ["TemplateTagsGateway"]

_DELETE_BY_TEMPLATE = house().affected("template_tags/delete_by_template")
_INSERT_MANY = house().bulk("template_tags/insert_many")


@attrs.frozen(slots=True)
class TemplateTagsGateway:
    """A method per file of ``sql/template_tags/``."""

    executor: Executor

    async def delete_by_template(self, *, template_id: UUID) -> int:
        """Take all tags off a template that is locked and live."""
        return await self.executor.affected(_DELETE_BY_TEMPLATE, template_id=template_id)

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Put tags on templates that are locked and live."""
        return await self.executor.insert_many(_INSERT_MANY, rows)
