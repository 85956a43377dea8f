"""Templates in bulk: brought in, and taken out with their whole history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import groupby
from typing import Final
from uuid import UUID

from dal.errors import ValueRejectedError
from dal.gateways import TemplateLabelsGateway, TemplateVersionsGateway
from dal.records.clock import END_OF_TIME
from dal.records.exported_templates import TemplateExport
from dal.records.ids import MAX_ID, check_id
from dal.records.new_templates import NewTemplate
from dal.records.templates import Template
from dal.repositories.base import changing, disclosing, part
from dal.repositories.templates.creation import TemplateCreation
from dal.repositories.templates.rules import TARGET, TemplateRules

__all__ = ["TemplateExchange"]

_EXPORT_ROWS: Final = 100
_IDS_AT_ONCE: Final = 5_000


@part("templates.exchange")
class TemplateExchange(TemplateRules):
    """Many templates at once: ``me.templates.exchange``."""

    @changing
    async def create_many(
        self, templates: Iterable[NewTemplate], *, owner_id: UUID | None = None
    ) -> list[Template]:
        """Create many templates with their first versions: all of them, or none.

        One INSERT per 1 MiB and table, and two reads (one more for each further 10,000 tags),
        however many there are.

        Args:
            owner_id: for the system, who has none of its own.

        Raises:
            ParentMissingError: the owner is not there, or deleted.
            PermissionDeniedError: nobody, or for somebody else.
            UniqueError: one of the ids is taken, or is given twice.
            ValueRejectedError: a template is more than the server takes in one packet, or is no
                NewTemplate.
        """
        news = _new_templates(templates)
        creation = TemplateCreation(self._scope)
        owner = creation.owner("template.create_many", owner_id)
        if not news:
            return []
        return await creation.create_many("template.create_many", news, owner)

    async def list_taken_ids(self, template_ids: Iterable[UUID]) -> set[UUID]:
        """Which of these ids are templates of the actor already, the trash too; for imports.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: one of ``template_ids`` is no UUID.
        """
        actor_id = self._me()
        if not isinstance(template_ids, Iterable):
            raise ValueRejectedError("template_ids: a list of UUIDs", field="template_ids")
        ids = [check_id("template_ids", template_id) for template_id in template_ids]
        taken: set[UUID] = set()
        for begin in range(0, len(ids), _IDS_AT_ONCE):
            taken.update(
                await self._templates.list_own_ids_including_deleted(
                    actor_id=actor_id, template_ids=ids[begin : begin + _IDS_AT_ONCE]
                )
            )
        return taken

    async def stream(self) -> AsyncIterator[Template]:
        """The actor's live templates with their text, newest first, a hundred at a time.

        No statement stays open between the pages: what is created meanwhile is not seen, what is
        deleted before its page is left out.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        actor_id = self._me()
        at, last = END_OF_TIME, MAX_ID
        while True:
            rows = await self._templates.list_own_with_text(
                actor_id=actor_id, before_at=at, before_id=last, limit_rows=_EXPORT_ROWS
            )
            for row in rows:
                yield row
            if len(rows) < _EXPORT_ROWS:
                return
            at, last = rows[-1].created_at, rows[-1].id

    @disclosing
    async def export(self) -> AsyncIterator[TemplateExport]:
        """The actor's live templates with their whole history and labels, newest first.

        A line each, see :meth:`TemplateExport.to_line`; what is read when is as in
        :meth:`stream`. The audit log says that it was done.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        actor_id = self._me()
        await self._disclose("template.export", TARGET)
        all_versions = TemplateVersionsGateway(self._scope)
        all_labels = TemplateLabelsGateway(self._scope)
        at, last = END_OF_TIME, MAX_ID
        while True:
            rows = await self._templates.list_own_with_text(
                actor_id=actor_id, before_at=at, before_id=last, limit_rows=_EXPORT_ROWS
            )
            ids = [row.id for row in rows]
            versions = {
                template_id: tuple(of_one)
                for template_id, of_one in groupby(
                    await all_versions.list_own_history(template_ids=ids, actor_id=actor_id),
                    key=lambda version: version.template_id,
                )
            }
            labels = {
                template_id: tuple((label.label, label.version) for label in of_one)
                for template_id, of_one in groupby(
                    await all_labels.list_own(template_ids=ids, actor_id=actor_id),
                    key=lambda label: label.template_id,
                )
            }
            for row in rows:
                # Deleted since the page was read: left out. What was made or moved since is taken
                # as far as it fits together.
                if row.id in versions:
                    there = {version.version for version in versions[row.id]}
                    yield TemplateExport(
                        template=row,
                        versions=versions[row.id],
                        labels=tuple(it for it in labels.get(row.id, ()) if it[1] in there),
                        last_version=max(row.last_version, *there),
                    )
            if len(rows) < _EXPORT_ROWS:
                return
            at, last = rows[-1].created_at, rows[-1].id


def _new_templates(templates: object) -> list[NewTemplate]:
    if not isinstance(templates, Iterable):
        raise ValueRejectedError("templates: a list of NewTemplate", field="templates")
    news = list(templates)
    if not all(isinstance(new, NewTemplate) for new in news):
        raise ValueRejectedError("templates: a list of NewTemplate", field="templates")
    return news
