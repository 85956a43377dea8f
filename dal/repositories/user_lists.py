"""Lists, search and numbers of users, for admins and the system."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import cast
from uuid import UUID

from dal.errors import ValueRejectedError
from dal.records.actor import Role
from dal.records.days import checked_days, days_until, segments, zone
from dal.records.page import Key, Page, check_limit, decode_cursor, encode_cursor, page_of
from dal.records.users import User, UsersOfDay, UserStatistics, normalize_email
from dal.repositories.user_rules import UserRules
from dal.search.users import WINDOW_ROWS, Match, UserArm, UserSearch, first_key, user_search

__all__ = ["UserLists"]

_NAMES, _ADDRESSES = 0, 1
_NO_ID = UUID(int=0)


def _key(user: User) -> Key:
    return (user.created_at, user.id)


class UserLists(UserRules):
    """The part of :class:`UserRepository` that looks at many users."""

    async def list_all(
        self,
        *,
        role: Role | str | None = None,
        is_active: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[User]:
        """Live users, newest first, for an admin and the system.

        Args:
            role: only those who have it.
            is_active: only those who may log in, or only those who may not.

        Raises:
            PermissionDeniedError: the actor is neither.
            ValueRejectedError: ``role``, ``is_active``, ``limit`` or ``after``.
        """
        search = UserSearch(role=role, is_active=is_active)
        check_limit(limit)
        key = decode_cursor(search.list_name, after, first_key(UserArm.ALL))
        await self._only_admins_read()
        rows = await self._scope.search(
            user_search(search, UserArm.ALL, after=key, limit_rows=limit + 1)
        )
        return page_of(search.list_name, rows, limit, _key)

    async def search(
        self,
        text: str,
        *,
        match: Match | str = Match.PREFIX,
        role: Role | str | None = None,
        is_active: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[User]:
        """Live users by name or address, for an admin and the system.

        By prefix, which an index finds: those whose name begins so, by name, then those whose
        address begins so, by address. By substring, which no index finds: newest first, and a page
        looks at no more than 5,000 users, so it may hold fewer than ``limit``, even none, while
        ``next`` leads on. Either way names regardless of case and accents, addresses regardless of
        case; a letter that a name has as two characters, the base and the accent, is found as it is
        stored.

        Args:
            match: ``prefix`` or ``substring``.
            role: only those who have it.
            is_active: only those who may log in, or only those who may not.

        Raises:
            PermissionDeniedError: the actor is neither.
            ValueRejectedError: ``text`` is blank or over 100 characters; ``match``, ``role``,
                ``is_active``, ``limit`` or ``after``.
        """
        search = UserSearch(text=text, match=match, role=role, is_active=is_active)
        if search.text is None:
            raise ValueRejectedError("text: what to search for is required", field="text")
        check_limit(limit)
        if search.match is Match.PREFIX:
            first: Key = (_NAMES, "", _NO_ID)
        else:
            first = first_key(UserArm.WINDOW)
        key = decode_cursor(search.list_name, after, first)
        await self._only_admins_read()
        if search.match is Match.PREFIX:
            return await self._by_prefix(search, key, limit)
        return await self._by_substring(search, key, limit)

    async def _by_prefix(self, search: UserSearch, key: Key, limit: int) -> Page[User]:
        """A page of the one list that is made of two: names, and then addresses."""
        arm, text, last = cast(tuple[int, str, UUID], key)
        by_name: list[User] = []
        if arm == _NAMES:
            by_name = await self._scope.search(
                user_search(search, UserArm.NAME, after=(text, last), limit_rows=limit + 1)
            )
            text = ""
        by_email: list[User] = []
        if len(by_name) <= limit:
            by_email = await self._scope.search(
                user_search(
                    search, UserArm.EMAIL, after=(text,), limit_rows=limit + 1 - len(by_name)
                )
            )
        rows = [*by_name, *by_email]
        shown = tuple(rows[:limit])
        if len(rows) <= limit:
            return Page(shown, None)
        if len(by_name) >= limit:
            following: Key = (_NAMES, shown[-1].full_name, shown[-1].id)
        else:
            following = (_ADDRESSES, shown[-1].email, _NO_ID)
        return Page(shown, encode_cursor(search.list_name, following))

    async def _by_substring(self, search: UserSearch, key: Key, limit: int) -> Page[User]:
        """What a window of users holds; the page after it begins where the window ends."""
        at, last = cast(tuple[datetime, UUID], key)
        end = await self._users.find_window_end(
            before_at=at, before_id=last, window_rows=WINDOW_ROWS
        )
        if end is None:
            return Page((), None)
        rows = await self._scope.search(
            user_search(
                search,
                UserArm.WINDOW,
                after=key,
                until=(end.created_at, end.id),
                limit_rows=limit + 1,
            )
        )
        if len(rows) > limit:
            return page_of(search.list_name, rows, limit, _key)
        return Page(tuple(rows), encode_cursor(search.list_name, (end.created_at, end.id)))

    async def list_by_email_including_deleted(self, email: str, *, limit: int = 50) -> list[User]:
        """Who has an address, and who had it when they were deleted; for an admin and the system,
        who look for whom to restore. By id, newest first, as far as ids were made here.

        Raises:
            PermissionDeniedError: the actor is neither.
            ValueRejectedError: ``email`` is no address, or ``limit``.
        """
        address = normalize_email(email)
        check_limit(limit)
        await self._only_admins_read()
        return await self._users.list_by_email_including_deleted(email=address, limit_rows=limit)

    async def count(self) -> int:
        """How many live users there are, for an admin and the system.

        Raises:
            PermissionDeniedError: the actor is neither.
        """
        await self._only_admins_read()
        return await self._users.count_all()

    async def statistics(self) -> UserStatistics:
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
