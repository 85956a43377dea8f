"""Numbers of what was asked, answered and spent."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from typing import Final, Literal, TypedDict
from uuid import UUID

from dal.errors import NotFoundError, PermissionDeniedError, ValueRejectedError
from dal.gateways import TemplatesGateway, UsageDaysGateway, UsageRecordsGateway
from dal.records.clock import check_time
from dal.records.page import check_limit
from dal.records.prompts import PromptStatus
from dal.records.usage import UsageDay, UsageRecord
from dal.records.usage_statistics import (
    Ranked,
    Ranking,
    Step,
    Subject,
    UsageOf,
    UsagePoint,
    UsageReport,
    checked_step,
    points_of_days,
    ranked,
    report_of_days,
    report_of_records,
    series_of_records,
)
from dal.repositories.base import part
from dal.repositories.conversations.rules import absent
from dal.repositories.prompts.rules import PromptRules
from dal.session import Scope

__all__ = ["MAX_ATTEMPTS_READ", "PromptAnalytics"]

MAX_ATTEMPTS_READ: Final = 100_000
"""The most attempts that exact numbers are made of."""

_MAX_GROUPS: Final = 500_000
_MAX_DAYS: Final = 3_660
_MAX_VERSION: Final = 2**32 - 1
_WHATS: Final = ("prompts", "models", "template_versions", "users")


class _Window(TypedDict):
    from_at: datetime
    until_at: datetime
    limit_rows: int


class _Days(TypedDict):
    from_day: datetime
    to_day: datetime
    limit_rows: int


class _Versions(TypedDict):
    lowest_version: int
    highest_version: int


What = Literal["prompts", "models", "template_versions", "users"]


@part("prompts.analytics")
class PromptAnalytics(PromptRules):
    """Numbers: ``me.prompts.analytics``, of what the actor asked, of a conversation that they take
    part in, of a template of theirs; for the system of a model, and of all.

    What counts are attempts that ended here: completed and failed ones, with what they took, also
    of prompts that are gone. Over a time they are exact, and read each attempt of it. Over days
    they come from the daily roll-up, whose percentiles are within 5 %, and read that alone.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._records = UsageRecordsGateway(scope)
        self._days = UsageDaysGateway(scope)

    async def report(self, of: UsageOf, *, from_at: datetime, until_at: datetime) -> UsageReport:
        """Counts, tokens, cost, latencies, errors, together and by model, provider and user, of
        attempts that ended within a time; exact.

        Raises:
            NotFoundError: no such live conversation, or template of the actor.
            PermissionDeniedError: nobody asks; or a user asks for what is the system's.
            ValueRejectedError: ``of``, ``from_at`` or ``until_at``; or more than 100,000 attempts
                ended in that time: the field is ``until_at``.
        """
        rows = await self._attempts(of, from_at, until_at)
        # Who used a template is theirs to tell.
        tells = self._by_system or of.subject is not Subject.TEMPLATE
        return report_of_records(rows, tells_users=tells)

    async def series(
        self,
        of: UsageOf,
        *,
        from_at: datetime,
        until_at: datetime,
        step: Step | str = Step.DAY,
        time_zone: str | tzinfo = "UTC",
    ) -> list[UsagePoint]:
        """As :meth:`report`, by hour, local day or week, oldest first, gaps filled with zero.

        Args:
            step: hour, day or week, at most 10,000 of them.
            time_zone: an IANA name such as ``Europe/Berlin``, or a tzinfo: when a day begins.

        Raises:
            As :meth:`report`; ValueRejectedError: ``step`` or ``time_zone`` too.
        """
        long = checked_step(step)
        rows = await self._attempts(of, from_at, until_at)
        first, last = check_time("from_at", from_at), check_time("until_at", until_at)
        return series_of_records(rows, first, last, long, time_zone)

    async def best(
        self,
        of: UsageOf,
        *,
        from_at: datetime,
        until_at: datetime,
        by: Ranking | str = Ranking.RATING,
        what: What = "prompts",
        limit: int = 10,
    ) -> tuple[Ranked, ...]:
        """The best prompts, models, template versions or users of attempts that ended within a
        time, the best first.

        Args:
            by: rating, the mean; speed, output tokens a second; cost_efficiency, tokens a dollar.

        Raises:
            As :meth:`report`; ValueRejectedError: ``by``, ``what`` or ``limit`` too.
        """
        try:
            ranking = Ranking(by)
        except ValueError:
            raise ValueRejectedError("by: rating, speed or cost_efficiency", field="by") from None
        if what not in _WHATS:
            raise ValueRejectedError(f"what: {', '.join(_WHATS)}", field="what")
        if what == "users" and of.subject is Subject.TEMPLATE and not self._by_system:
            raise PermissionDeniedError("who used a template is theirs to tell")
        count = check_limit(limit)
        return ranked(await self._attempts(of, from_at, until_at), what, ranking, count)

    async def days_report(self, of: UsageOf, *, first: date, last: date) -> UsageReport:
        """As :meth:`report`, of whole days, UTC, from the daily roll-up: without errors, users and
        ratings, with percentiles that are within 5 %. Not of a conversation.

        Raises:
            As :meth:`report`; ValueRejectedError: ``first`` or ``last``, or more than ten years.
        """
        return report_of_days(await self._rolled_up(of, first, last))

    async def days_series(
        self, of: UsageOf, *, first: date, last: date, step: Step | str = Step.DAY
    ) -> list[UsagePoint]:
        """As :meth:`days_report`, by day or week, oldest first, gaps filled with zero.

        Raises:
            As :meth:`days_report`; ValueRejectedError: ``step`` too.
        """
        long = checked_step(step)
        return points_of_days(await self._rolled_up(of, first, last), first, last, long)

    async def count_by_status(self, of: UsageOf) -> dict[PromptStatus, int]:
        """How many live prompts of the actor, or of a conversation, stand where; as of now.

        Raises:
            As :meth:`report`; ValueRejectedError: ``of`` is of something else.
        """
        await self._check(of)
        if of.subject is Subject.CONVERSATION and of.id is not None:
            found = await self._prompts.count_by_status_of_conversation(conversation_id=of.id)
        elif of.subject is Subject.MINE:
            found = await self._prompts.count_by_status_of_author(author_id=self._mine())
        else:
            raise ValueRejectedError("of: one's own, or a conversation", field="of")
        counts = {one.status: one.prompts for one in found}
        return {status: counts.get(status, 0) for status in PromptStatus}

    # ------------------------------------------------------------------- rules

    def _mine(self) -> UUID:
        return self._user("what one asked is somebody's")

    async def _check(self, of: UsageOf) -> None:
        """Refuse what is not the actor's to see."""
        if not isinstance(of, UsageOf):
            raise ValueRejectedError("of: a UsageOf", field="of")
        if of.subject is Subject.MINE:
            self._mine()
        elif of.subject is Subject.CONVERSATION and of.id is not None:
            if not await self._is_there(of.id):
                raise absent()
        elif of.subject is Subject.TEMPLATE and of.id is not None:
            found = await TemplatesGateway(self._scope).get(template_id=of.id, **self._reader)
            if not self._by_system and found.owner_id != self._scope.actor.id:
                raise NotFoundError("no such template of this actor")
        else:
            self._only_system("numbers of everybody are the system's")

    async def _attempts(
        self, of: UsageOf, from_at: datetime, until_at: datetime
    ) -> list[UsageRecord]:
        first, last = check_time("from_at", from_at), check_time("until_at", until_at)
        await self._check(of)
        window: _Window = {"from_at": first, "until_at": last, "limit_rows": MAX_ATTEMPTS_READ + 1}
        read = self._records
        if of.subject is Subject.MINE:
            rows = await read.list_by_user(user_id=self._mine(), **window)
        elif of.subject is Subject.CONVERSATION and of.id is not None:
            rows = await read.list_by_conversation(conversation_id=of.id, **window)
        elif of.subject is Subject.TEMPLATE and of.id is not None:
            rows = await read.list_by_template(template_id=of.id, **_versions(of), **window)
        elif of.subject is Subject.MODEL and of.name is not None:
            rows = await read.list_by_model(model_name=of.name, **window)
        else:
            rows = await read.list_all(**window)
        if len(rows) > MAX_ATTEMPTS_READ:
            raise ValueRejectedError(
                f"until_at: more than {MAX_ATTEMPTS_READ:,} attempts ended in that time: ask for"
                " less, or for days",
                field="until_at",
            )
        return rows

    async def _rolled_up(self, of: UsageOf, first: date, last: date) -> list[UsageDay]:
        for field, value in (("first", first), ("last", last)):
            if type(value) is not date or not 1000 < value.year < 9999:
                raise ValueRejectedError(f"{field}: a date is required", field=field)
        if (last - first).days >= _MAX_DAYS:
            raise ValueRejectedError(f"last: at most {_MAX_DAYS:,} days", field="last")
        await self._check(of)
        window: _Days = {
            "from_day": datetime.combine(first, time.min, UTC),
            "to_day": datetime.combine(last, time.min, UTC),
            "limit_rows": _MAX_GROUPS,
        }
        read = self._days
        if of.subject is Subject.MINE:
            return await read.list_by_user(user_id=self._mine(), **window)
        if of.subject is Subject.TEMPLATE and of.id is not None:
            return await read.list_by_template(template_id=of.id, **_versions(of), **window)
        if of.subject is Subject.MODEL and of.name is not None:
            return await read.list_by_model(model_name=of.name, **window)
        if of.subject is Subject.ALL:
            return await read.list_all(**window)
        raise ValueRejectedError("of: the roll-up knows no conversations", field="of")


def _versions(of: UsageOf) -> _Versions:
    """One version, or all of them."""
    if of.version is None:
        return {"lowest_version": 1, "highest_version": _MAX_VERSION}
    return {"lowest_version": of.version, "highest_version": of.version}
