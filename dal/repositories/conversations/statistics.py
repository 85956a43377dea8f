"""Numbers of conversations: the actor's own, or everybody's for the system."""

from __future__ import annotations

from datetime import date, timedelta, tzinfo
from typing import Final, TypedDict
from uuid import UUID

from dal.errors import ValueRejectedError
from dal.gateways import PromptsGateway
from dal.records.clock import ago
from dal.records.conversation_statistics import (
    ConversationCost,
    ConversationsOfDay,
    ConversationStatistics,
    ShareStatistics,
)
from dal.records.days import MAX_DAYS, checked_days, days_until, segments, zone
from dal.records.ids import MAX_ID
from dal.records.page import check_limit
from dal.repositories.base import part
from dal.repositories.conversations.rules import ConversationRules

__all__ = ["ConversationNumbers"]

_MONTH: Final = timedelta(days=30)
_WEEKS: Final = MAX_DAYS // 7


class _Owners(TypedDict):
    first_owner: UUID
    last_owner: UUID


@part("conversations.statistics")
class ConversationNumbers(ConversationRules):
    """Numbers of what the actor owns, and of everything for the system:
    ``me.conversations.statistics``. They are as of now, and read what they count.
    """

    @property
    def _owners(self) -> _Owners:
        if self._by_system:
            return {"first_owner": UUID(int=0), "last_owner": MAX_ID}
        actor_id = self._me()
        return {"first_owner": actor_id, "last_owner": actor_id}

    async def get(self) -> ConversationStatistics:
        """How many there are by status, their messages, tokens, cost, and how long they are.

        Raises:
            PermissionDeniedError: nobody asks.
        """
        return await self._conversations.get_statistics(**self._owners)

    async def created_by_day(
        self, *, days: int = 30, time_zone: str | tzinfo = "UTC"
    ) -> list[ConversationsOfDay]:
        """How many of the live ones were created on each of the last days, today included, oldest
        first, a day without one as well.

        One statement for each stretch of time between two changes of the zone's clocks.

        Args:
            days: 1 to 366.
            time_zone: an IANA name such as ``Europe/Berlin``, or a tzinfo: when a day begins.

        Raises:
            PermissionDeniedError: nobody asks.
            ValueRejectedError: ``days``, or ``time_zone`` is not known.
        """
        owners = self._owners
        tz = zone(time_zone)
        wanted = days_until(self._scope.clock.now(), checked_days(days), tz)
        counts: dict[date, int] = dict.fromkeys(wanted, 0)
        for segment in segments(wanted, tz):
            for of_day in await self._conversations.list_created_by_day(
                from_at=segment.from_at,
                until_at=segment.until_at,
                utc_offset_s=segment.utc_offset_s,
                limit_rows=len(wanted) + 1,
                **owners,
            ):
                counts[of_day.day] += of_day.conversations
        return [ConversationsOfDay(day, n) for day, n in counts.items()]

    async def created_by_week(
        self, *, weeks: int = 12, time_zone: str | tzinfo = "UTC"
    ) -> list[ConversationsOfDay]:
        """As :meth:`created_by_day` by the week, which begins on Monday (ISO 8601); the first of
        them whole, the last one up to today.

        Args:
            weeks: 1 to 52.

        Raises:
            PermissionDeniedError: nobody asks.
            ValueRejectedError: ``weeks``, or ``time_zone`` is not known.
        """
        if type(weeks) is not int or not 1 <= weeks <= _WEEKS:
            raise ValueRejectedError(f"weeks: an integer from 1 to {_WEEKS}", field="weeks")
        (today,) = days_until(self._scope.clock.now(), 1, zone(time_zone))
        days = 7 * (weeks - 1) + today.weekday() + 1
        counts: dict[date, int] = {}
        for of_day in await self.created_by_day(days=days, time_zone=time_zone):
            monday = of_day.day - timedelta(days=of_day.day.weekday())
            counts[monday] = counts.get(monday, 0) + of_day.conversations
        return [ConversationsOfDay(day, n) for day, n in counts.items()]

    async def costliest(self, *, limit: int = 10) -> list[ConversationCost]:
        """The conversations that cost most, the most first.

        Raises:
            PermissionDeniedError: nobody asks.
            ValueRejectedError: ``limit`` is not 1 to 500.
        """
        return await self._conversations.list_costliest(
            limit_rows=check_limit(limit), **self._owners
        )

    async def count_authors(self, *, within: timedelta = _MONTH) -> int:
        """How many people asked something in them within a time.

        Raises:
            PermissionDeniedError: nobody asks.
            ValueRejectedError: ``within`` is no timedelta, or negative.
        """
        owners = self._owners
        since_at = ago(self._scope.clock.now(), within, field="within")
        return await PromptsGateway(self._scope).count_authors(since_at=since_at, **owners)

    async def shares(self) -> ShareStatistics:
        """Of the links that the actor made, or all of them.

        Raises:
            PermissionDeniedError: nobody asks.
        """
        return await self._shares.get_statistics(now=self._scope.clock.now(), **self._owners)
