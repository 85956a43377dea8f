"""Who may come in, and as what: roles, activity, locks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import attrs

from dal.records.actor import Role
from dal.records.clock import later
from dal.records.ids import check_id
from dal.records.users import User, checked_role
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import changing, part
from dal.repositories.users.rules import TARGET, UserRules, after_credentials

__all__ = ["UserAccess"]


@part("users.access")
class UserAccess(UserRules):
    """Roles, activity and locks of accounts: ``me.users.access``."""

    @changing
    async def change_role(self, user_id: UUID, role: Role | str) -> User:
        """Give a user another role, for an admin and the system. The same role is no change.

        Raises:
            LastAdminError: the last live, active admin would be none any more.
            NotFoundError: not there, or deleted.
            PermissionDeniedError: the actor is neither admin nor the system.
            ValueRejectedError: there is no such role, or ``user_id`` is no UUID.
        """
        wanted = checked_role(role)
        action = "user.change_role"
        target = await self._lock_target(action, user_id, or_self=False, of_role=True)
        user = target.user
        if user.role is wanted:
            return user
        self._keep_an_admin(action, target)
        now = self._scope.clock.now()
        at = after_credentials(now, user)
        await self._users.update_role(user_id=user_id, role=wanted, changed_at=at)
        changes = changes_between({"role": user.role}, {"role": wanted})
        await self._audit.write(action, TARGET, user_id, changes=changes, at=now)
        return attrs.evolve(user, role=wanted, credentials_changed_at=at, updated_at=at)

    @changing
    async def activate(self, user_id: UUID) -> User:
        """Let a user log in again, for an admin and the system. An active one stays so.

        Raises:
            NotFoundError: not there, or deleted.
            PermissionDeniedError: the actor is neither admin nor the system.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        return await self._set_activity("user.activate", user_id, is_active=True)

    @changing
    async def deactivate(self, user_id: UUID) -> User:
        """Let a user not log in any more, for an admin and the system. What they own stays as it
        is.

        Raises:
            LastAdminError: the last live, active admin would be none any more.
            NotFoundError: not there, or deleted.
            PermissionDeniedError: the actor is neither admin nor the system.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        return await self._set_activity("user.deactivate", user_id, is_active=False)

    @changing
    async def unlock(self, user_id: UUID) -> User:
        """End a lock and forget the failed log-ins, for an admin and the system. Where there is
        neither, nothing changes.

        Raises:
            NotFoundError: not there, or deleted.
            PermissionDeniedError: the actor is neither.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        user = await self._lock_as_admin("user.unlock", user_id)
        now = self._scope.clock.now()
        at = later(now, user.updated_at)
        if not await self._users.unlock(user_id=user_id, changed_at=at):
            return user
        changes = {"locked_until": {"from": user.locked_until, "to": None}}
        await self._audit.write(
            "user.unlock", TARGET, user_id, changes=changes if user.locked_until else None, at=now
        )
        return attrs.evolve(user, locked_until=None, updated_at=at)

    async def find_credentials_changed_at(self, user_id: UUID) -> datetime | None:
        """When password, role or activity changed last, or None for who is not let in: not there,
        deleted, or not active. For the system, which refuses what was issued before.

        One read by the primary key.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        self._only_system()
        return await self._users.find_credentials_changed_at(user_id=user_id)

    async def _set_activity(self, action: str, user_id: UUID, *, is_active: bool) -> User:
        target = await self._lock_target(action, user_id, or_self=False)
        user = target.user
        if user.is_active == is_active:
            return user
        if not is_active:
            self._keep_an_admin(action, target)
        now = self._scope.clock.now()
        at = after_credentials(now, user)
        await self._users.update_activity(user_id=user_id, is_active=is_active, changed_at=at)
        changes = changes_between({"is_active": user.is_active}, {"is_active": is_active})
        await self._audit.write(action, TARGET, user_id, changes=changes, at=now)
        return attrs.evolve(user, is_active=is_active, credentials_changed_at=at, updated_at=at)
