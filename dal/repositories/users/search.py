"""Finding users by name or address."""

from __future__ import annotations

from datetime import datetime
from typing import Final, cast
from uuid import UUID

from dal.errors import ValueRejectedError
from dal.records.actor import Role
from dal.records.page import Key, Page, check_limit, decode_cursor, encode_cursor, page_of
from dal.records.users import User
from dal.repositories.users.rules import UserRules, by_age
from dal.search.users import WINDOW_ROWS, Match, UserArm, UserSearch, first_key, user_search

__all__ = ["UserSearches"]

_NAMES: Final = 0
_ADDRESSES: Final = 1
_NO_ID: Final = UUID(int=0)


class UserSearches(UserRules):
    """Searches of users, for the face. No door of its own."""

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
        """See :meth:`dal.repositories.users.UserRepository.search`."""
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
            return page_of(search.list_name, rows, limit, by_age)
        return Page(tuple(rows), encode_cursor(search.list_name, (end.created_at, end.id)))
