"""Preferences: one JSON document a user, changed key by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from dal.errors import NotFoundError
from dal.records.ids import check_id
from dal.records.preferences import (
    Preferences,
    changes_of,
    checked_key,
    leaves,
    merged,
    value_at,
    without,
)
from dal.records.users import UserPreferences as Stored
from dal.repositories.base import changing, part
from dal.repositories.users.rules import TARGET, UserRules

__all__ = ["UserPreferences"]

_MAX_KEYS_TOLD: Final = 100


@part("users.preferences")
class UserPreferences(UserRules):
    """Preferences: ``me.users.preferences``.

    They are read under the lock of the user, merged, and written: two who set different keys at
    the same moment both keep theirs. Keys are dotted: ``notifications.email``. The document has at
    most 16 KiB and 8 levels. ``updated_at`` of the user stays: preferences are not the account.
    """

    async def get(self, user_id: UUID) -> Preferences:
        """The whole document: one's own, or anyone's for an admin and the system.

        Raises:
            NotFoundError: not there, deleted, or somebody else.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        reader = await self._reader_of(user_id)
        return self._found(await self._users.find_preferences(user_id=user_id, **reader))

    async def get_value(self, user_id: UUID, key: str, default: Any = None) -> Any:
        """The value of one key, or ``default`` where there is none. None may be a value.

        Raises:
            NotFoundError: as :meth:`get`.
            ValueRejectedError: ``key`` is no dotted key, or ``user_id`` no UUID.
        """
        checked_key(key)
        return value_at(await self.get(user_id), key, default)

    @changing
    async def update(self, user_id: UUID, changes: Mapping[str, object]) -> Preferences:
        """Set some keys, and leave the others: objects are merged, all else is replaced.

        Args:
            changes: dotted keys and their values: text, numbers, booleans, None, and lists and
                mappings of these.

        Returns:
            The whole document.

        Raises:
            NotFoundError: not there, deleted, or somebody else.
            PermissionDeniedError: the actor is no admin any more.
            ValueRejectedError: a key or value that no preference has, or too much of it; ``field``
                is ``preferences.<key>``, or ``preferences``.
        """
        merged({}, changes)  # what is wrong by itself is refused before anything is locked
        return await self._change(
            "user.update_preferences", user_id, lambda document: merged(document, changes)
        )

    @changing
    async def unset(self, user_id: UUID, key: str) -> Preferences:
        """Take one key away, with what is below it. One that is not there is no error.

        Raises:
            NotFoundError: not there, deleted, or somebody else.
            PermissionDeniedError: the actor is no admin any more.
            ValueRejectedError: ``key`` is no dotted key, or ``user_id`` no UUID.
        """
        checked_key(key)
        return await self._change(
            "user.unset_preference", user_id, lambda document: without(document, key)
        )

    @changing
    async def reset(self, user_id: UUID) -> Preferences:
        """Take all keys away.

        Raises:
            NotFoundError: not there, deleted, or somebody else.
            PermissionDeniedError: the actor is no admin any more.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        before = await self._lock_document("user.reset_preferences", user_id)
        if before:
            # Also of a document that breaks the rules, of which no key could be changed.
            changes = {key: {"from": value, "to": None} for key, value in leaves(before)}
            await self._write("user.reset_preferences", user_id, {}, changes)
        return {}

    # ------------------------------------------------------------------- rules

    async def _change(
        self, action: str, user_id: UUID, change: Callable[[Preferences], Preferences]
    ) -> Preferences:
        before = await self._lock_document(action, user_id)
        after = change(before)
        changes = changes_of(before, after)
        if not changes:
            return before
        await self._write(action, user_id, after, changes)
        return after

    async def _lock_document(self, action: str, user_id: UUID) -> Preferences:
        check_id("user_id", user_id)
        if not self._is_self(user_id):
            await self._lock_changeable(action, user_id)
        return self._found(await self._users.lock_preferences(user_id=user_id))

    async def _write(
        self, action: str, user_id: UUID, after: Preferences, changes: Mapping[str, object]
    ) -> None:
        await self._users.update_preferences(user_id=user_id, preferences=after)
        if len(changes) > _MAX_KEYS_TOLD:
            # Each key with all that is above it would be many times the document.
            changes = {"preferences": {"from": None, "to": f"{len(changes)} keys"}}
        await self._audit.write(
            action, TARGET, user_id, changes=changes, at=self._scope.clock.now()
        )

    @staticmethod
    def _found(stored: Stored | None) -> Preferences:
        if stored is None:
            raise NotFoundError("no such user for this actor")
        return stored.preferences
