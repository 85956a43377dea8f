"""Numbers of users, for admins and the system."""

from __future__ import annotations

from datetime import date, timedelta, tzinfo

from dal.records.days import checked_days, days_until, segments, zone
from dal.records.users import UsersOfDay, UserStatistics
from dal.repositories.base import part
from dal.repositories.users.rules import UserRules

__all__ = ["UserNumbers"]


@part("users.statistics")
class UserNumbers(UserRules):
    """Numbers of users: ``me.users.statistics``."""

    async def get(self) -> UserStatistics:
        """Numbers of live users, for an admin and the system.

        Raises:
            PermissionDeniedError: the actor is neither.
        """
        await self._only_admins_read()
        now = self._scope.clock.now()
        return await self._users.get_statistics(
            now=now,
            day_ago=now - timedelta(days=1),
            week_ago=now - timedelta(days=7),
            month_ago=now - timedelta(days=30),
        )

    async def new_by_day(
        self, *, days: int = 30, time_zone: str | tzinfo = "UTC"
    ) -> list[UsersOfDay]:
        """How many of the live users were created on each of the last days, today included, oldest
        first, a day without one as well; for an admin and the system.

        One statement for each stretch of time between two changes of the zone's clocks.

        Args:
            days: 1 to 366.
            time_zone: an IANA name such as ``Europe/Berlin``, or a tzinfo: when a day begins.

        Raises:
            PermissionDeniedError: the actor is neither.
            ValueRejectedError: ``days``, or ``time_zone`` is not known.
        """
        tz = zone(time_zone)
        wanted = days_until(self._scope.clock.now(), checked_days(days), tz)
        await self._only_admins_read()
        counts: dict[date, int] = dict.fromkeys(wanted, 0)
        for segment in segments(wanted, tz):
            # A stretch has as many days as are asked for, and a piece of one more.
            for of_day in await self._users.list_new_by_day(
                from_at=segment.from_at,
                until_at=segment.until_at,
                utc_offset_s=segment.utc_offset_s,
                limit_rows=len(wanted) + 1,
            ):
                counts[of_day.day] += of_day.users
        return [UsersOfDay(day, users) for day, users in counts.items()]
