"""The table template_versions. Written from the .sql files: edit those."""

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
_FIND_LABELLED = house().find("template_versions/find_labelled", TemplateVersion)
_GET = house().one("template_versions/get", TemplateVersion)
_INSERT_MANY = house().bulk("template_versions/insert_many")
_LIST_BY_TEMPLATE = house().many("template_versions/list_by_template", TemplateVersionSummary)
_LIST_OWN_HISTORY = house().many("template_versions/list_own_history", TemplateVersion)


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

    async def find_labelled(
        self,
        *,
        template_id: UUID,
        actor_id: UUID | None,
        actor_is_system: bool,
        label: str,
        or_newest: bool,
    ) -> TemplateVersion | None:
        """Find the labelled (or newest) version of a live template that the actor may see."""
        return await self.executor.find(
            _FIND_LABELLED,
            template_id=template_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            label=label,
            or_newest=or_newest,
        )

    async def get(
        self, *, template_id: UUID, version: int, actor_id: UUID | None, actor_is_system: bool
    ) -> TemplateVersion:
        """Get one version of a live template that the actor may see.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(
            _GET,
            template_id=template_id,
            version=version,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
        )

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Create versions of templates that are locked and live."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_template(
        self,
        *,
        template_id: UUID,
        actor_id: UUID | None,
        actor_is_system: bool,
        before_version: int,
        limit_rows: int,
    ) -> list[TemplateVersionSummary]:
        """Page through the versions of a live template that the actor may see, newest first."""
        return await self.executor.many(
            _LIST_BY_TEMPLATE,
            template_id=template_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            before_version=before_version,
            limit_rows=limit_rows,
        )

    async def list_own_history(
        self, *, template_ids: Sequence[UUID], actor_id: UUID
    ) -> list[TemplateVersion]:
        """List all versions of some live templates of the actor with their text, in order."""
        return await self.executor.many(
            _LIST_OWN_HISTORY, template_ids=template_ids, actor_id=actor_id
        )
