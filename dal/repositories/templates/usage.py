"""How often templates are used, and numbers of all of them."""

from __future__ import annotations

from uuid import UUID

from dal.records.ids import check_id
from dal.records.templates import TemplateStatistics
from dal.repositories.base import changing, frequent, part
from dal.repositories.templates.rules import TARGET, TemplateRules, absent

__all__ = ["TemplateUsage"]


@part("templates.usage")
class TemplateUsage(TemplateRules):
    """What is done with templates: ``me.templates.usage``."""

    @frequent
    @changing
    async def record(self, template_id: UUID) -> None:
        """Count one use of a template, by a user or the system; of many at once none is lost.

        Uses are summed in ``use_count``: too many for an entry each in the audit log.

        Raises:
            NotFoundError: no such live template for this actor.
            PermissionDeniedError: nobody uses templates anonymously.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        check_id("template_id", template_id)
        action = "template.record_use"
        if not await self._is_there(template_id):
            raise absent()
        now = self._scope.clock.now()
        if not self._by_system:
            actor_id = self._scope.actor.id
            if actor_id is None:
                self._deny(action, TARGET, template_id, "templates are used by users")
            if await self._users.lock_live(user_id=actor_id) is None:
                raise absent()
        counted = await self._templates.record_use(template_id=template_id, now=now, **self._reader)
        if not counted:
            raise absent()

    async def statistics(self) -> TemplateStatistics:
        """Numbers of what the actor may see, and of their trash; the system counts all."""
        if self._by_system:
            return await self._templates.get_statistics()
        return await self._templates.get_visible_statistics(actor_id=self._scope.actor.id)
