"""Numbers of audit entries, for the system."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta, tzinfo
from typing import Final, TypedDict

from dal.errors import ValueRejectedError
from dal.records.audit import (
    AuditCategory,
    AuditDayCount,
    AuditSeverity,
    AuditStatistics,
    FailedLoginsOfIp,
    FailedLoginsOfUser,
    Outcome,
)
from dal.records.days import checked_days, days_until, segments, zone
from dal.records.page import check_limit
from dal.repositories.audit.rules import AuditRules
from dal.repositories.base import part

__all__ = ["AuditNumbers"]

# Every category with every severity and every outcome.
_CLASSES: Final = len(AuditCategory) * len(AuditSeverity) * len(Outcome)
_MAX_WITHIN: Final = timedelta(days=31)


class _Failures(TypedDict):
    from_at: datetime
    until_at: datetime
    least_failures: int
    limit_rows: int


@part("audit.statistics")
class AuditNumbers(AuditRules):
    """Numbers of entries: ``me.audit.statistics``, for the system."""

    async def get(self, *, days: int = 30, actors: int = 10) -> AuditStatistics:
        """Count the entries of the last days up to now, by what they are and who acted.

        Args:
            days: 1 to 366, each of 24 hours.
            actors: how many of the busiest, 1 to 500.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``days`` or ``actors``.
        """
        wanted = timedelta(days=checked_days(days))
        if isinstance(actors, bool) or not isinstance(actors, int) or not 1 <= actors <= 500:
            raise ValueRejectedError("actors: 1 to 500", field="actors")
        self._only_system_reads()
        now = self._scope.clock.now()
        # What happened now counts too.
        from_at, until_at = now - wanted, now + timedelta(microseconds=1)
        classes = await self._logs.count_by_class(
            from_at=from_at, until_at=until_at, limit_rows=_CLASSES
        )
        busiest = await self._logs.count_by_actor(
            from_at=from_at, until_at=until_at, limit_rows=actors
        )
        categories: Counter[AuditCategory] = Counter()
        severities: Counter[AuditSeverity] = Counter()
        outcomes: Counter[Outcome] = Counter()
        security = 0
        for one in classes:
            categories[one.category] += one.entries
            severities[one.severity] += one.entries
            outcomes[one.outcome] += one.entries
            # As the column security_at has it.
            if (
                one.category is AuditCategory.AUTHENTICATION
                or one.severity in AuditSeverity.HIGH.and_above
                or one.outcome is Outcome.DENIED
            ):
                security += one.entries
        return AuditStatistics(
            total=categories.total(),
            security=security,
            by_category=dict(categories),
            by_severity=dict(severities),
            by_outcome=dict(outcomes),
            actors=tuple(busiest),
        )

    async def by_day(
        self, *, days: int = 30, time_zone: str | tzinfo = "UTC", security: bool = False
    ) -> list[AuditDayCount]:
        """How many entries each of the last days has, today included, oldest first, a day without
        one as well.

        Args:
            days: 1 to 366.
            time_zone: an IANA name such as ``Europe/Berlin``, or a tzinfo: when a day begins.
            security: only what :meth:`AuditLogRepository.list_security` lists.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``days``, or ``time_zone`` is not known.
        """
        tz = zone(time_zone)
        wanted = days_until(self._scope.clock.now(), checked_days(days), tz)
        self._only_system_reads()
        counts: dict[date, int] = dict.fromkeys(wanted, 0)
        count = self._logs.list_security_by_day if security else self._logs.list_by_day
        for segment in segments(wanted, tz):
            # A stretch has as many days as are asked for, and a piece of one more.
            for of_day in await count(
                from_at=segment.from_at,
                until_at=segment.until_at,
                utc_offset_s=segment.utc_offset_s,
                limit_rows=len(wanted) + 1,
            ):
                counts[of_day.day] += of_day.entries
        return [AuditDayCount(day, entries) for day, entries in counts.items()]

    async def failed_logins_by_user(
        self, *, within: timedelta, at_least: int = 1, limit: int = 50
    ) -> list[FailedLoginsOfUser]:
        """Users at whom log-ins failed within the time up to now, most failures first; addresses
        that nobody has are counted together, under None.

        Args:
            within: how far the window reaches back, at most 31 days.
            at_least: those with fewer failures are left out.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``within``, ``at_least`` or ``limit``.
        """
        return await self._logs.list_failed_logins_by_user(
            **self._failures(within, at_least, limit)
        )

    async def failed_logins_by_ip(
        self, *, within: timedelta, at_least: int = 1, limit: int = 50
    ) -> list[FailedLoginsOfIp]:
        """Addresses from which log-ins failed within the time up to now, most failures first; None
        is where no address was told. Otherwise as :meth:`failed_logins_by_user`.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``within``, ``at_least`` or ``limit``.
        """
        return await self._logs.list_failed_logins_by_ip(**self._failures(within, at_least, limit))

    def _failures(self, within: object, at_least: object, limit: int) -> _Failures:
        if not isinstance(within, timedelta) or not timedelta(0) < within <= _MAX_WITHIN:
            raise ValueRejectedError("within: a timedelta, at most 31 days", field="within")
        is_count = isinstance(at_least, int) and not isinstance(at_least, bool)
        if not is_count or not 1 <= at_least < 2**31:  # type: ignore[operator]
            raise ValueRejectedError("at_least: 1 or more", field="at_least")
        rows = check_limit(limit)
        self._only_system_reads()
        now = self._scope.clock.now()
        return {
            "from_at": now - within,
            "until_at": now + timedelta(microseconds=1),
            "least_failures": at_least,  # type: ignore[typeddict-item]
            "limit_rows": rows,
        }
