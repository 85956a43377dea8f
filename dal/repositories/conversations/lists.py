"""Lists of conversations beside those of the face: recent, by status, pinned."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from dal.records.clock import ago
from dal.records.conversations import ConversationStatus, ConversationSummary, checked_status
from dal.records.page import Page, check_limit, page_of, start_by_time
from dal.repositories.base import part
from dal.repositories.conversations.rules import ConversationRules, by_activity

__all__ = ["ConversationLists"]

_WEEK: Final = timedelta(days=7)


@part("conversations.lists")
class ConversationLists(ConversationRules):
    """The actor's conversations by what they look for: ``me.conversations.lists``."""

    async def recent(
        self, *, within: timedelta = _WEEK, limit: int = 10, after: str | None = None
    ) -> Page[ConversationSummary]:
        """The actor's own that were active within a time, not archived, the last active first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``within`` is no time or negative, ``limit`` or ``after``.
        """
        actor_id = self._me()
        name = "conversations.lists.recent"
        since_at = ago(self._scope.clock.now(), within, field="within")
        at, last = start_by_time(name, after)
        rows = await self._conversations.list_own_recent(
            actor_id=actor_id,
            since_at=since_at,
            before_at=at,
            before_id=last,
            limit_rows=check_limit(limit) + 1,
        )
        return page_of(name, rows, limit, by_activity)

    async def by_status(
        self, status: ConversationStatus | str, *, limit: int = 50, after: str | None = None
    ) -> Page[ConversationSummary]:
        """The actor's own of a status, not archived, the last active first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``status`` is none, ``limit`` or ``after``.
        """
        actor_id = self._me()
        wanted = checked_status(status)
        name = f"conversations.lists.by_status:{wanted}"
        at, last = start_by_time(name, after)
        rows = await self._conversations.list_own_by_status(
            actor_id=actor_id,
            conversation_status=wanted,
            before_at=at,
            before_id=last,
            limit_rows=check_limit(limit) + 1,
        )
        return page_of(name, rows, limit, by_activity)

    async def pinned(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[ConversationSummary]:
        """What the actor pinned, their own and those of others, archived ones too, the last active
        first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._me()
        name = "conversations.lists.pinned"
        at, last = start_by_time(name, after)
        rows = await self._conversations.list_pinned(
            actor_id=actor_id, before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of(name, rows, limit, by_activity)
