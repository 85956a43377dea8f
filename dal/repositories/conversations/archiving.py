"""Archiving many conversations: all of one's own, and what nobody has said anything in."""

from __future__ import annotations

from datetime import timedelta

from dal.records.clock import ago
from dal.records.page import check_batch
from dal.repositories.base import changing, part
from dal.repositories.conversations.rules import TARGET, ConversationRules, absent

__all__ = ["ConversationArchiving"]


@part("conversations.archiving")
class ConversationArchiving(ConversationRules):
    """Many at once: ``me.conversations.archiving``. One at a time is on the face."""

    @changing
    async def archive_all(self) -> int:
        """Archive all of the actor's own live conversations; how many were not.

        Raises:
            NotFoundError: the actor is deleted.
            PermissionDeniedError: the actor is no user, or a viewer.
        """
        action = "conversation.archive_all"
        actor_id = self._scope.actor.id
        if actor_id is None:
            self._deny(action, TARGET, None, "only a user takes part in conversations")
        self._refuse_viewer(action, None)
        if await self._users.lock_live(user_id=actor_id) is None:
            raise absent()
        now = self._scope.clock.now()
        archived = await self._conversations.archive_own(actor_id=actor_id, now=now)
        if archived:
            await self._audit.write(action, TARGET, None, affected=archived, at=now)
        return archived

    @changing
    async def archive_idle(self, *, older_than: timedelta, batch: int = 1000) -> int:
        """Archive conversations in which nothing was said for so long, for the system; how many.

        One batch a call, the longest idle first: call again until it is less than ``batch``. In
        which something is said meanwhile is left.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``older_than`` is no time or negative, or ``batch`` not 1 to 10,000.
        """
        action = "conversation.archive_idle"
        self._only_system_changes(action, TARGET, None, "for the system alone")
        now = self._scope.clock.now()
        idle_before = ago(now, older_than)
        ids = await self._conversations.list_idle(
            idle_before=idle_before, limit_rows=check_batch(batch)
        )
        archived = await self._conversations.archive_idle(
            conversation_ids=sorted(ids), idle_before=idle_before, now=now
        )
        if archived:
            await self._audit.write(action, TARGET, None, affected=archived, at=now)
        return archived
