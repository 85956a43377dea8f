"""Everything that the system holds of a user, given out row by row."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from dal.errors import NotFoundError, PermissionDeniedError, ValueRejectedError
from dal.gateways import UsageItemsGateway
from dal.records.actor import Role
from dal.records.ids import check_id
from dal.records.page import Key, decode_cursor, encode_cursor
from dal.records.personal_data import PersonalRow, UsageData
from dal.records.usage import UsageItem
from dal.repositories.users.rules import TARGET, UserRules
from dal.search.personal_data import WAYS, Way, personal_rows

__all__ = ["UserExports", "cursor_after"]

_KINDS: Final = [way.kind for way in WAYS]


class UserExports(UserRules):
    """The export, for the face. No door of its own."""

    async def rows(self, user_id: UUID, after: str | None) -> AsyncIterator[PersonalRow]:
        """See :meth:`dal.repositories.users.UserRepository.export_data`."""
        check_id("user_id", user_id)
        start, key = self._start(user_id, after)
        await self._refuse_others(user_id)
        # Of each attempt, whichever row it goes on behind.
        changes = {"after": {"from": None, "to": None if after is None else WAYS[start].kind}}
        await self._disclose("user.export_data", TARGET, changes, target_id=user_id)
        for way in WAYS[start:]:
            async for row in self._of(way, user_id, way.first if key is None else key):
                yield row
            key = None

    def _start(self, user_id: UUID, after: str | None) -> tuple[int, Key | None]:
        """Which way is the first to be read, and behind which row of it."""
        if after is None:
            return 0, None
        kind, _, cursor = after.partition(".") if isinstance(after, str) else ("", "", "")
        if kind not in _KINDS:
            raise ValueRejectedError("after: not a cursor of this list", field="after")
        at = _KINDS.index(kind)
        return at, decode_cursor(_list_name(user_id, kind), cursor, WAYS[at].first)

    async def _refuse_others(self, user_id: UUID) -> None:
        if self._by_system:
            await self._users.get_including_deleted(user_id=user_id)
        elif self._is_self(user_id):
            if await self._find_any(user_id) is None:
                raise self._absent()
        elif self._scope.actor.role is Role.ADMIN:
            raise PermissionDeniedError("what somebody wrote is for themselves and the system")
        else:
            raise NotFoundError("no such user for this actor")

    async def _of(self, way: Way, user_id: UUID, key: Key) -> AsyncIterator[PersonalRow]:
        while True:
            found = await self._scope.search(
                personal_rows(way, user_id, after=key, limit_rows=way.at_once)
            )
            items = await self._items(found) if way.record is UsageData else None
            for record in found:
                key = tuple(getattr(record, column) for column in way.key)
                cursor = _cursor(way, user_id, key)
                of_it = None if items is None else items[record.prompt_id, record.attempt]
                yield PersonalRow.of(way.kind, record, cursor, of_it)
            if len(found) < way.at_once:
                return

    async def _items(self, attempts: list[Any]) -> dict[tuple[UUID, int], list[UsageItem]]:
        of_attempts: dict[tuple[UUID, int], list[UsageItem]] = defaultdict(list)
        ids = sorted({attempt.prompt_id for attempt in attempts})
        for item in await UsageItemsGateway(self._scope).list_by_prompts(prompt_ids=ids):
            of_attempts[item.prompt_id, item.attempt].append(item)
        return of_attempts


def cursor_after(user_id: UUID, line: bytes) -> str:
    """The cursor behind a line that an export of this user gave: to go on where a file ends.

    Raises:
        ValueRejectedError: no such line; the field is ``line``.
    """
    try:
        told = json.loads(line)
        way = WAYS[_KINDS.index(told["kind"])]
        values = [told["data"][column] for column in way.key]
        key = tuple(
            _value(value, kind) for value, kind in zip(values, map(type, way.first), strict=True)
        )
        return _cursor(way, user_id, key)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueRejectedError("line: not of an export", field="line") from None


def _value(value: Any, kind: type) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(value)
    return kind(value)


def _cursor(way: Way, user_id: UUID, key: Key) -> str:
    return f"{way.kind}.{encode_cursor(_list_name(user_id, way.kind), key)}"


def _list_name(user_id: UUID, kind: str) -> str:
    return f"users.export_data:{user_id}:{kind}"
