"""The table template_labels. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import attrs

from dal.records.templates import TemplateLabel
from dal.session import Executor
from dal.statements import house

__all__ = ["TemplateLabelsGateway"]

_DELETE_IN_TRASH = house().affected("template_labels/delete_in_trash")
_DELETE_ONE = house().affected("template_labels/delete_one")
_INSERT_MANY = house().bulk("template_labels/insert_many")
_LIST_BY_TEMPLATE = house().many("template_labels/list_by_template", TemplateLabel)
_LIST_OWN = house().many("template_labels/list_own", TemplateLabel)
_LOCK_ONE = house().find("template_labels/lock_one", TemplateLabel)
_UPDATE_VERSION = house().affected("template_labels/update_version")


@attrs.frozen(slots=True)
class TemplateLabelsGateway:
    """A method per file of ``sql/template_labels/``."""

    executor: Executor

    async def delete_in_trash(self, *, template_ids: Sequence[UUID]) -> int:
        """Take all labels off templates in a trash, which are about to be purged."""
        return await self.executor.affected(_DELETE_IN_TRASH, template_ids=template_ids)

    async def delete_one(self, *, template_id: UUID, label: str) -> int:
        """Take a label off a locked template."""
        return await self.executor.affected(_DELETE_ONE, template_id=template_id, label=label)

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Put labels on versions of a locked template."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_template(
        self, *, template_id: UUID, actor_id: UUID | None, actor_is_system: bool, limit_rows: int
    ) -> list[TemplateLabel]:
        """List the labels of a live template that the actor may see by name."""
        return await self.executor.many(
            _LIST_BY_TEMPLATE,
            template_id=template_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            limit_rows=limit_rows,
        )

    async def list_own(
        self, *, template_ids: Sequence[UUID], actor_id: UUID
    ) -> list[TemplateLabel]:
        """List the labels of some live templates of the actor."""
        return await self.executor.many(_LIST_OWN, template_ids=template_ids, actor_id=actor_id)

    async def lock_one(self, *, template_id: UUID, label: str) -> TemplateLabel | None:
        """Lock a label of a locked template before it is moved."""
        return await self.executor.find(_LOCK_ONE, template_id=template_id, label=label)

    async def update_version(
        self, *, template_id: UUID, label: str, version: int, moved_by: UUID, moved_at: datetime
    ) -> int:
        """Move a label of a locked template to another of its versions."""
        return await self.executor.affected(
            _UPDATE_VERSION,
            template_id=template_id,
            label=label,
            version=version,
            moved_by=moved_by,
            moved_at=moved_at,
        )
