"""Deleted users: who they were."""

from __future__ import annotations

from uuid import UUID

from dal.records.ids import check_id
from dal.records.page import check_limit
from dal.records.users import User, normalize_email
from dal.repositories.base import part
from dal.repositories.users.rules import UserRules

__all__ = ["UserTrash"]


@part("users.trash")
class UserTrash(UserRules):
    """Deleted users: ``me.users.trash``. The face has the way in and back."""

    async def get_including_deleted(self, user_id: UUID) -> User:
        """A user, from the trash too, for an admin and the system.

        Raises:
            NotFoundError: not there.
            PermissionDeniedError: the actor is neither.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        await self._only_admins_read()
        return await self._users.get_including_deleted(user_id=user_id)

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
