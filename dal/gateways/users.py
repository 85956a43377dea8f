"""The table users. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import attrs

from dal.records.users import Account, User, UserKey, UserPreferences, UsersOfDay, UserStatistics
from dal.session import Executor
from dal.statements import house

__all__ = ["UsersGateway"]

_CLOSE = house().affected("users/close")
_COUNT_ALL = house().value("users/count_all", int)
_EXISTS_ADMIN = house().value("users/exists_admin", bool)
_FIND_ACCOUNT = house().find("users/find_account", Account)
_FIND_ACCOUNT_BY_ID = house().find("users/find_account_by_id", Account)
_FIND_BY_EMAIL = house().find("users/find_by_email", User)
_FIND_BY_ID = house().find("users/find_by_id", User)
_FIND_CREDENTIALS_CHANGED_AT = house().find("users/find_credentials_changed_at", datetime)
_FIND_PREFERENCES = house().find("users/find_preferences", UserPreferences)
_FIND_WINDOW_END = house().find("users/find_window_end", UserKey)
_GET_INCLUDING_DELETED = house().one("users/get_including_deleted", User)
_GET_STATISTICS = house().one("users/get_statistics", UserStatistics)
_INSERT = house().affected("users/insert")
_LIST_BY_EMAIL_INCLUDING_DELETED = house().many("users/list_by_email_including_deleted", User)
_LIST_NEW_BY_DAY = house().many("users/list_new_by_day", UsersOfDay)
_LOCK_ADMIN = house().find("users/lock_admin", UUID)
_LOCK_ADMINS = house().many("users/lock_admins", UUID)
_LOCK_BY_ID = house().find("users/lock_by_id", User)
_LOCK_INCLUDING_DELETED = house().find("users/lock_including_deleted", User)
_LOCK_LIVE = house().find("users/lock_live", UUID)
_LOCK_MANY_LIVE = house().many("users/lock_many_live", UUID)
_LOCK_PREFERENCES = house().find("users/lock_preferences", UserPreferences)
_RECORD_FAILURE = house().last_id("users/record_failure")
_RECORD_LOGIN = house().affected("users/record_login")
_RESTORE = house().affected("users/restore")
_SOFT_DELETE = house().affected("users/soft_delete")
_UNLOCK = house().affected("users/unlock")
_UPDATE_ACTIVITY = house().affected("users/update_activity")
_UPDATE_DETAILS = house().affected("users/update_details")
_UPDATE_EMAIL_VERIFIED = house().affected("users/update_email_verified")
_UPDATE_PASSWORD = house().affected("users/update_password")
_UPDATE_PREFERENCES = house().affected("users/update_preferences")
_UPDATE_ROLE = house().affected("users/update_role")


@attrs.frozen(slots=True)
class UsersGateway:
    """A method per file of ``sql/users/``."""

    executor: Executor

    async def close(self, *, user_id: UUID, email: str, full_name: str, now: datetime) -> int:
        """End the account of a locked user: nothing tells who they were, or lets them in."""
        return await self.executor.affected(
            _CLOSE, user_id=user_id, email=email, full_name=full_name, now=now
        )

    async def count_all(self) -> int:
        """Count the live users."""
        return await self.executor.value(_COUNT_ALL)

    async def exists_admin(self, *, actor_id: UUID) -> bool:
        """Tell whether the actor is a live, active admin."""
        return await self.executor.value(_EXISTS_ADMIN, actor_id=actor_id)

    async def find_account(self, *, email: str) -> Account | None:
        """Find what a log-in looks at, by address."""
        return await self.executor.find(_FIND_ACCOUNT, email=email)

    async def find_account_by_id(self, *, actor_id: UUID, user_id: UUID) -> Account | None:
        """Find what a check of the password looks at, by id."""
        return await self.executor.find(_FIND_ACCOUNT_BY_ID, actor_id=actor_id, user_id=user_id)

    async def find_by_email(self, *, email: str) -> User | None:
        """Find a live user by address, for the system."""
        return await self.executor.find(_FIND_BY_EMAIL, email=email)

    async def find_by_id(
        self, *, user_id: UUID, actor_id: UUID | None, actor_is_system: bool
    ) -> User | None:
        """Find a live user by id: the actor, or anyone for the system."""
        return await self.executor.find(
            _FIND_BY_ID, user_id=user_id, actor_id=actor_id, actor_is_system=actor_is_system
        )

    async def find_credentials_changed_at(self, *, user_id: UUID) -> datetime | None:
        """Find when the password, role or activity of a user changed last."""
        return await self.executor.find(_FIND_CREDENTIALS_CHANGED_AT, user_id=user_id)

    async def find_preferences(
        self, *, user_id: UUID, actor_id: UUID | None, actor_is_system: bool
    ) -> UserPreferences | None:
        """Find the preferences of a live user: the actor's, or anyone's for the system."""
        return await self.executor.find(
            _FIND_PREFERENCES, user_id=user_id, actor_id=actor_id, actor_is_system=actor_is_system
        )

    async def find_window_end(
        self, *, before_at: datetime, before_id: UUID, window_rows: int
    ) -> UserKey | None:
        """Find the last of the next users in the order from the newest to the oldest."""
        return await self.executor.find(
            _FIND_WINDOW_END, before_at=before_at, before_id=before_id, window_rows=window_rows
        )

    async def get_including_deleted(self, *, user_id: UUID) -> User:
        """Get a user by id, from the trash too, for the system.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(_GET_INCLUDING_DELETED, user_id=user_id)

    async def get_statistics(
        self, *, now: datetime, day_ago: datetime, week_ago: datetime, month_ago: datetime
    ) -> UserStatistics:
        """Count the live users by role, state and last log-in, for the system.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(
            _GET_STATISTICS, now=now, day_ago=day_ago, week_ago=week_ago, month_ago=month_ago
        )

    async def insert(
        self,
        *,
        user_id: UUID,
        email: str,
        full_name: str,
        role: str,
        password_hash: str | None,
        now: datetime,
    ) -> int:
        """Create a user."""
        return await self.executor.affected(
            _INSERT,
            user_id=user_id,
            email=email,
            full_name=full_name,
            role=role,
            password_hash=password_hash,
            now=now,
        )

    async def list_by_email_including_deleted(self, *, email: str, limit_rows: int) -> list[User]:
        """List the users who have or had an address, newest first, for the system."""
        return await self.executor.many(
            _LIST_BY_EMAIL_INCLUDING_DELETED, email=email, limit_rows=limit_rows
        )

    async def list_new_by_day(
        self, *, from_at: datetime, until_at: datetime, utc_offset_s: int, limit_rows: int
    ) -> list[UsersOfDay]:
        """Count the live users who were created, by local day."""
        return await self.executor.many(
            _LIST_NEW_BY_DAY,
            from_at=from_at,
            until_at=until_at,
            utc_offset_s=utc_offset_s,
            limit_rows=limit_rows,
        )

    async def lock_admin(self, *, actor_id: UUID) -> UUID | None:
        """Lock the actor, a live and active admin, against a change of that."""
        return await self.executor.find(_LOCK_ADMIN, actor_id=actor_id)

    async def lock_admins(self, *, limit_rows: int) -> list[UUID]:
        """Lock the live, active admins, before one of them stops being one."""
        return await self.executor.many(_LOCK_ADMINS, limit_rows=limit_rows)

    async def lock_by_id(self, *, user_id: UUID) -> User | None:
        """Lock a live user, to change what their row says."""
        return await self.executor.find(_LOCK_BY_ID, user_id=user_id)

    async def lock_including_deleted(self, *, user_id: UUID) -> User | None:
        """Lock a user, live or deleted, whose account ends."""
        return await self.executor.find(_LOCK_INCLUDING_DELETED, user_id=user_id)

    async def lock_live(self, *, user_id: UUID) -> UUID | None:
        """Lock a live user against deletion, before children are inserted."""
        return await self.executor.find(_LOCK_LIVE, user_id=user_id)

    async def lock_many_live(self, *, user_ids: Sequence[UUID]) -> list[UUID]:
        """Lock live users against deletion, the oldest account first."""
        return await self.executor.many(_LOCK_MANY_LIVE, user_ids=user_ids)

    async def lock_preferences(self, *, user_id: UUID) -> UserPreferences | None:
        """Lock a live user, and read the preferences that are to be changed."""
        return await self.executor.find(_LOCK_PREFERENCES, user_id=user_id)

    async def record_failure(
        self, *, user_id: UUID, max_failures: int, lock_until: datetime, now: datetime
    ) -> int | None:
        """Count a failed log-in, and lock the account when there were too many."""
        return await self.executor.last_id(
            _RECORD_FAILURE,
            user_id=user_id,
            max_failures=max_failures,
            lock_until=lock_until,
            now=now,
        )

    async def record_login(
        self, *, user_id: UUID, known_updated_at: datetime, password_hash: str | None, now: datetime
    ) -> int:
        """Record a log-in, if the account is as it was when the password was compared."""
        return await self.executor.affected(
            _RECORD_LOGIN,
            user_id=user_id,
            known_updated_at=known_updated_at,
            password_hash=password_hash,
            now=now,
        )

    async def restore(self, *, user_id: UUID, now: datetime) -> int:
        """Take a user out of the trash."""
        return await self.executor.affected(_RESTORE, user_id=user_id, now=now)

    async def soft_delete(self, *, user_id: UUID, now: datetime) -> int:
        """Put a live user into the trash; what the user owns is hidden with them, not stamped."""
        return await self.executor.affected(_SOFT_DELETE, user_id=user_id, now=now)

    async def unlock(self, *, user_id: UUID, changed_at: datetime) -> int:
        """End the lock of a live user and forget the failed log-ins, where there are any."""
        return await self.executor.affected(_UNLOCK, user_id=user_id, changed_at=changed_at)

    async def update_activity(self, *, user_id: UUID, is_active: bool, changed_at: datetime) -> int:
        """Let a live user log in, or not any more."""
        return await self.executor.affected(
            _UPDATE_ACTIVITY, user_id=user_id, is_active=is_active, changed_at=changed_at
        )

    async def update_details(
        self,
        *,
        user_id: UUID,
        email: str,
        full_name: str,
        email_verified_at: datetime | None,
        changed_at: datetime,
    ) -> int:
        """Change the address and the name of a live user."""
        return await self.executor.affected(
            _UPDATE_DETAILS,
            user_id=user_id,
            email=email,
            full_name=full_name,
            email_verified_at=email_verified_at,
            changed_at=changed_at,
        )

    async def update_email_verified(
        self, *, user_id: UUID, email_verified_at: datetime | None, changed_at: datetime
    ) -> int:
        """Note that the address of a live user was shown to be theirs."""
        return await self.executor.affected(
            _UPDATE_EMAIL_VERIFIED,
            user_id=user_id,
            email_verified_at=email_verified_at,
            changed_at=changed_at,
        )

    async def update_password(
        self, *, user_id: UUID, password_hash: str, changed_at: datetime
    ) -> int:
        """Set the password of a live user, and end a lock."""
        return await self.executor.affected(
            _UPDATE_PASSWORD, user_id=user_id, password_hash=password_hash, changed_at=changed_at
        )

    async def update_preferences(self, *, user_id: UUID, preferences: Mapping[str, object]) -> int:
        """Write the preferences of a live user."""
        return await self.executor.affected(
            _UPDATE_PREFERENCES, user_id=user_id, preferences=preferences
        )

    async def update_role(self, *, user_id: UUID, role: str, changed_at: datetime) -> int:
        """Give a live user another role."""
        return await self.executor.affected(
            _UPDATE_ROLE, user_id=user_id, role=role, changed_at=changed_at
        )
