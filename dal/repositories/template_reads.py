"""Reading templates: one, lists, numbers, and all of one's own with their history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from itertools import groupby
from typing import Final, cast
from uuid import UUID

from dal.errors import NotFoundError, ValueRejectedError
from dal.records.clock import END_OF_TIME
from dal.records.exported_templates import TemplateExport
from dal.records.ids import MAX_ID, check_id
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.records.templates import Template, TemplateStatistics, TemplateSummary
from dal.repositories.template_rules import TemplateRules, start

__all__ = ["TemplateReads"]

_FIRST_DELETED: Final[Key] = (END_OF_TIME, END_OF_TIME, MAX_ID)
_EXPORT_ROWS: Final = 100
_IDS_AT_ONCE: Final = 5_000


def _key(row: TemplateSummary) -> Key:
    return (row.created_at, row.id)


class TemplateReads(TemplateRules):
    """See :class:`dal.repositories.templates.TemplateRepository`."""

    async def get(self, template_id: UUID) -> Template:
        """A live template with its text: one's own or a public one; any for the system.

        Raises:
            NotFoundError: not there, deleted, its owner deleted, or not visible to this actor.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        check_id("template_id", template_id)
        if self._scope.actor.is_system:
            return await self._templates.get_any(template_id=template_id)
        return await self._templates.get_visible(
            template_id=template_id, actor_id=self._scope.actor.id
        )

    async def find(self, template_id: UUID) -> Template | None:
        """As :meth:`get`, or None.

        Raises:
            ValueRejectedError: ``template_id`` is no UUID.
        """
        try:
            return await self.get(template_id)
        except NotFoundError:
            return None

    async def get_including_deleted(self, template_id: UUID) -> Template:
        """A template of the actor, from the trash too.

        Raises:
            NotFoundError: not there, or not the actor's.
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        return await self._templates.get_own_including_deleted(
            template_id=check_id("template_id", template_id), actor_id=self._user()
        )

    async def list_mine(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateSummary]:
        """The actor's live templates, newest first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._user()
        at, last = start("templates.list_mine", after)
        rows = await self._templates.list_own(
            actor_id=actor_id, before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of("templates.list_mine", rows, limit, _key)

    async def list_public(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateSummary]:
        """The public templates of live owners, newest first.

        Raises:
            ValueRejectedError: ``limit`` or ``after``.
        """
        at, last = start("templates.list_public", after)
        rows = await self._templates.list_public(
            before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of("templates.list_public", rows, limit, _key)

    async def list_all(self, *, limit: int = 50, after: str | None = None) -> Page[TemplateSummary]:
        """All live templates of live owners, newest first, for the system.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``limit`` or ``after``.
        """
        self._only_system()
        at, last = start("templates.list_all", after)
        rows = await self._templates.list_all(
            before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of("templates.list_all", rows, limit, _key)

    async def list_trash(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateSummary]:
        """The actor's deleted templates, deleted last first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._user()
        deleted_at, at, last = cast(
            tuple[datetime, datetime, UUID],
            decode_cursor("templates.list_trash", after, _FIRST_DELETED),
        )
        rows = await self._templates.list_trash(
            actor_id=actor_id,
            before_deleted_at=deleted_at,
            before_at=at,
            before_id=last,
            limit_rows=check_limit(limit) + 1,
        )
        return page_of(
            "templates.list_trash",
            rows,
            limit,
            lambda row: (row.deleted_at or END_OF_TIME, row.created_at, row.id),
        )

    async def stream_mine(self) -> AsyncIterator[Template]:
        """The actor's live templates with their text, newest first, a hundred at a time.

        No statement stays open between the pages: what is created meanwhile is not seen, what is
        deleted before its page is left out.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        actor_id = self._user()
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

    async def count_mine(self) -> int:
        """How many live templates the actor has.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        return await self._templates.count_own(actor_id=self._user())

    async def count_trash(self) -> int:
        """How many templates are in the actor's trash.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        return await self._templates.count_trash(actor_id=self._user())

    async def count_public(self) -> int:
        """How many public templates of live owners there are."""
        return await self._templates.count_public()

    async def count_all(self) -> int:
        """How many live templates of live owners there are, for the system.

        Raises:
            PermissionDeniedError: the actor is not the system.
        """
        self._only_system()
        return await self._templates.count_all()

    async def list_taken_ids(self, template_ids: Iterable[UUID]) -> set[UUID]:
        """Which of these ids are templates of the actor already, the trash too; for imports.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: one of ``template_ids`` is no UUID.
        """
        actor_id = self._user()
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

    async def export_mine(self) -> AsyncIterator[TemplateExport]:
        """The actor's live templates with their whole history and labels, newest first.

        A line each, see :meth:`TemplateExport.to_line`; what is read when is as in
        :meth:`stream_mine`.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        actor_id = self._user()
        at, last = END_OF_TIME, MAX_ID
        while True:
            rows = await self._templates.list_own_with_text(
                actor_id=actor_id, before_at=at, before_id=last, limit_rows=_EXPORT_ROWS
            )
            ids = [row.id for row in rows]
            versions = {
                template_id: tuple(of_one)
                for template_id, of_one in groupby(
                    await self._versions.list_own_history(template_ids=ids, actor_id=actor_id),
                    key=lambda version: version.template_id,
                )
            }
            labels = {
                template_id: tuple((label.label, label.version) for label in of_one)
                for template_id, of_one in groupby(
                    await self._labels.list_own(template_ids=ids, actor_id=actor_id),
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

    async def statistics(self) -> TemplateStatistics:
        """Numbers of what the actor may see, and of their trash; the system counts all."""
        if self._scope.actor.is_system:
            return await self._templates.get_statistics()
        return await self._templates.get_visible_statistics(actor_id=self._scope.actor.id)
