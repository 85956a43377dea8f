"""Templates in the trash: seen, counted, removed for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

from dal.gateways import TemplateLabelsGateway
from dal.records.clock import END_OF_TIME, ago
from dal.records.ids import MAX_ID, check_id
from dal.records.page import Key, Page, check_batch, check_limit, decode_cursor, page_of
from dal.records.templates import Template, TemplateSummary
from dal.repositories.base import changing, part
from dal.repositories.templates.rules import TARGET, TemplateRules

__all__ = ["TemplateTrash"]

_FIRST_DELETED: Final[Key] = (END_OF_TIME, END_OF_TIME, MAX_ID)


@part("templates.trash")
class TemplateTrash(TemplateRules):
    """The actor's deleted templates: ``me.templates.trash``. The face has the way in and back."""

    async def get_including_deleted(self, template_id: UUID) -> Template:
        """A template of the actor, from the trash too.

        Raises:
            NotFoundError: not there, or not the actor's.
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        return await self._templates.get_own_including_deleted(
            template_id=check_id("template_id", template_id), actor_id=self._me()
        )

    async def list_mine(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateSummary]:
        """The actor's deleted templates, deleted last first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._me()
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

    async def count_mine(self) -> int:
        """How many templates are in the actor's trash.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        return await self._templates.count_trash(actor_id=self._me())

    @changing
    async def purge(self, template_id: UUID) -> None:
        """Remove a template in the trash for good, with its versions and tags.

        Raises:
            NotFoundError: not in the actor's trash.
            PermissionDeniedError: visible, and not the actor's.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        actor_id = await self._lock_actor("template.purge", template_id)
        await TemplateLabelsGateway(self._scope).delete_in_trash(template_ids=[template_id])
        if not await self._templates.purge(template_id=template_id, actor_id=actor_id):
            await self._refuse("template.purge", template_id)
        await self._audit.write("template.purge", TARGET, template_id)

    @changing
    async def purge_deleted(self, *, older_than: timedelta, batch: int = 1000) -> int:
        """Remove the oldest templates of all trashes for good, for the system; how many.

        One batch a call: call again until it is less than ``batch``.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``older_than`` is no time or negative, or ``batch`` not 1 to 10,000.
        """
        self._only_system_changes(
            "template.purge_deleted", TARGET, None, "trashes are emptied by the system alone"
        )
        now = self._scope.clock.now()
        deleted_before = ago(now, older_than)
        ids = await self._templates.list_purgeable(
            deleted_before=deleted_before, limit_rows=check_batch(batch)
        )
        if not ids:
            return 0
        await TemplateLabelsGateway(self._scope).delete_in_trash(template_ids=ids)
        purged = await self._templates.purge_many(template_ids=ids)
        await self._audit.write("template.purge_deleted", TARGET, None, affected=purged, at=now)
        return purged
