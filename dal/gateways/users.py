"""The table users."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import attrs

from dal.records.users import User
from dal.session import Executor
from dal.statements import house

__all__ = ["UsersGateway"]

_COUNT_ALL = house().value("users/count_all", int)
_FIND_BY_EMAIL = house().find("users/find_by_email", User)
_FIND_BY_ID = house().find("users/find_by_id", User)
_FIND_SELF = house().find("users/find_self", User)
_INSERT = house().affected("users/insert")
_LOCK_LIVE = house().find("users/lock_live", UUID)
_RESTORE = house().affected("users/restore")
_SOFT_DELETE = house().affected("users/soft_delete")


@attrs.frozen(slots=True)
class UsersGateway:
    """A method per file of ``sql/users/``."""

    executor: Executor

    async def count_all(self) -> int:
        """Count the live users."""
        return await self.executor.value(_COUNT_ALL)

    async def find_by_email(self, *, email: str) -> User | None:
        """Find a live user by address, for the system."""
        return await self.executor.find(_FIND_BY_EMAIL, email=email)

    async def find_by_id(self, *, user_id: UUID) -> User | None:
        """Find a live user by id, for the system."""
        return await self.executor.find(_FIND_BY_ID, user_id=user_id)

    async def find_self(self, *, actor_id: UUID, user_id: UUID) -> User | None:
        """Find the actor's own live user."""
        return await self.executor.find(_FIND_SELF, actor_id=actor_id, user_id=user_id)

    async def insert(self, *, user_id: UUID, email: str, full_name: str, now: datetime) -> int:
        """Create a user."""
        return await self.executor.affected(
            _INSERT, user_id=user_id, email=email, full_name=full_name, now=now
        )

    async def lock_live(self, *, user_id: UUID) -> UUID | None:
        """Lock a live user against deletion, before children are inserted."""
        return await self.executor.find(_LOCK_LIVE, user_id=user_id)

    async def restore(self, *, user_id: UUID, now: datetime) -> int:
        """Take a user out of the trash."""
        return await self.executor.affected(_RESTORE, user_id=user_id, now=now)

    async def soft_delete(self, *, user_id: UUID, now: datetime) -> int:
        """Put a live user into the trash; what the user owns is hidden with them, not stamped."""
        return await self.executor.affected(_SOFT_DELETE, user_id=user_id, now=now)
