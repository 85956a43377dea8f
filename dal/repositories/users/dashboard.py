"""What one user has, at one glance: each source added up by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from typing import Final
from uuid import UUID

from dal.errors import NotFoundError, ValueRejectedError
from dal.gateways import (
    ConversationsGateway,
    PromptsGateway,
    TemplateRatingsGateway,
    TemplatesGateway,
    UsageDaysGateway,
    UsageRecordsGateway,
)
from dal.records.dashboard import UserDashboard
from dal.records.days import checked_days, days_until, segments, zone
from dal.records.ids import check_id
from dal.records.prompts import PromptStatus
from dal.records.usage_statistics import (
    Step,
    UsagePoint,
    UsageStatistics,
    points_of_days,
    report_of_days,
    series_of_records,
    sums_of_records,
)
from dal.repositories.users.rules import UserRules

__all__ = ["UserDashboards"]

_MAX_ATTEMPTS: Final = 100_000
_MAX_GROUPS: Final = 500_000


class UserDashboards(UserRules):
    """Numbers of one user, for the face. No door of its own."""

    async def get(self, user_id: UUID, *, days: int, time_zone: str | tzinfo) -> UserDashboard:
        """See :meth:`dal.repositories.users.UserRepository.dashboard`."""
        check_id("user_id", user_id)
        tz = zone(time_zone)
        wanted = days_until(self._scope.clock.now(), checked_days(days), tz)
        reader = await self._reader_of(user_id)
        if await self._users.find_by_id(user_id=user_id, **reader) is None:
            raise NotFoundError("no such user for this actor")
        scope = self._scope
        found = await PromptsGateway(scope).count_by_status_of_author(author_id=user_id)
        statuses = {one.status: one.prompts for one in found}
        usage, points = await self._usage(user_id, wanted, tz)
        return UserDashboard(
            conversations=await ConversationsGateway(scope).get_statistics(
                first_owner=user_id, last_owner=user_id
            ),
            prompts={status: statuses.get(status, 0) for status in PromptStatus},
            templates=await TemplatesGateway(scope).get_numbers_of_owner(owner_id=user_id),
            ratings_given=await TemplateRatingsGateway(scope).get_given(user_id=user_id),
            usage=usage,
            days=tuple(points),
        )

    async def _usage(
        self, user_id: UUID, wanted: list[date], tz: tzinfo
    ) -> tuple[UsageStatistics, list[UsagePoint]]:
        """From the roll-up where its days are the days that are asked for, else of attempts."""
        if tz is UTC:
            rows = await UsageDaysGateway(self._scope).list_by_user(
                user_id=user_id,
                from_day=datetime.combine(wanted[0], time.min, UTC),
                to_day=datetime.combine(wanted[-1], time.min, UTC),
                limit_rows=_MAX_GROUPS,
            )
            return report_of_days(rows).total, points_of_days(rows, wanted[0], wanted[-1], Step.DAY)
        stretches = segments(wanted, tz)
        if not stretches:
            # A day that the zone left out.
            return sums_of_records([]), []
        from_at, until_at = stretches[0].from_at, stretches[-1].until_at
        attempts = await UsageRecordsGateway(self._scope).list_by_user(
            user_id=user_id, from_at=from_at, until_at=until_at, limit_rows=_MAX_ATTEMPTS + 1
        )
        if len(attempts) > _MAX_ATTEMPTS:
            raise ValueRejectedError(
                f"days: more than {_MAX_ATTEMPTS:,} attempts ended in them: ask for fewer, or in"
                " UTC",
                field="days",
            )
        points = series_of_records(attempts, from_at, until_at, Step.DAY, tz)
        return sums_of_records(attempts), points
