"""The table template_versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import attrs

from dal.records.templates import TemplateVersion, TemplateVersionSummary
from dal.session import Executor
from dal.statements import house

__all__ = ["TemplateVersionsGateway"]

_DELETE_ONE = house().affected("template_versions/delete_one")
_FIND_BEFORE = house().find("template_versions/find_before", int)
_FIND_LABELLED_ANY = house().find("template_versions/find_labelled_any", TemplateVersion)
_FIND_LABELLED_VISIBLE = house().find("template_versions/find_labelled_visible", TemplateVersion)
_GET_ANY = house().one("template_versions/get_any", TemplateVersion)
_GET_VISIBLE = house().one("template_versions/get_visible", TemplateVersion)
_INSERT_MANY = house().bulk("template_versions/insert_many")
_LIST_ANY = house().many("template_versions/list_any", TemplateVersionSummary)
_LIST_OWN_HISTORY = house().many("template_versions/list_own_history", TemplateVersion)
_LIST_VISIBLE = house().many("template_versions/list_visible", TemplateVersionSummary)


@attrs.frozen(slots=True)
class TemplateVersionsGateway:
    """A method per file of ``sql/template_versions/``."""

    executor: Executor

    async def delete_one(self, *, template_id: UUID, version: int, actor_id: UUID) -> int:
        """Delete a version of a live template of the actor; a label on it forbids that."""
        return await self.executor.affected(
            _DELETE_ONE, template_id=template_id, version=version, actor_id=actor_id
        )

    async def find_before(self, *, template_id: UUID, before_version: int) -> int | None:
        """Find the number of the newest version of a locked template before another one."""
        return await self.executor.find(
            _FIND_BEFORE, template_id=template_id, before_version=before_version
        )

    async def find_labelled_any(
        self, *, template_id: UUID, label: str, or_newest: bool
    ) -> TemplateVersion | None:
        """Find the labelled (or newest) version of any live template, for the system."""
        return await self.executor.find(
            _FIND_LABELLED_ANY, template_id=template_id, label=label, or_newest=or_newest
        )

    async def find_labelled_visible(
        self, *, template_id: UUID, actor_id: UUID | None, label: str, or_newest: bool
    ) -> TemplateVersion | None:
        """Find the labelled (or newest) version of a live template that the actor may see."""
        return await self.executor.find(
            _FIND_LABELLED_VISIBLE,
            template_id=template_id,
            actor_id=actor_id,
            label=label,
            or_newest=or_newest,
        )

    async def get_any(self, *, template_id: UUID, version: int) -> TemplateVersion:
        """Get one version of any live template, for the system."""
        return await self.executor.one(_GET_ANY, template_id=template_id, version=version)

    async def get_visible(
        self, *, template_id: UUID, version: int, actor_id: UUID | None
    ) -> TemplateVersion:
        """Get one version of a live template that the actor may see."""
        return await self.executor.one(
            _GET_VISIBLE, template_id=template_id, version=version, actor_id=actor_id
        )

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Create versions of templates that are locked and live."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_any(
        self, *, template_id: UUID, before_version: int, limit_rows: int
    ) -> list[TemplateVersionSummary]:
        """Page through the versions of any live template, newest first, for the system."""
        return await self.executor.many(
            _LIST_ANY, template_id=template_id, before_version=before_version, limit_rows=limit_rows
        )

    async def list_own_history(
        self, *, template_ids: Sequence[UUID], actor_id: UUID
    ) -> list[TemplateVersion]:
        """List all versions of some live templates of the actor with their text, in order."""
        return await self.executor.many(
            _LIST_OWN_HISTORY, template_ids=template_ids, actor_id=actor_id
        )

    async def list_visible(
        self, *, template_id: UUID, actor_id: UUID | None, before_version: int, limit_rows: int
    ) -> list[TemplateVersionSummary]:
        """Page through the versions of a live template that the actor may see, newest first."""
        return await self.executor.many(
            _LIST_VISIBLE,
            template_id=template_id,
            actor_id=actor_id,
            before_version=before_version,
            limit_rows=limit_rows,
        )
