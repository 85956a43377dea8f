"""Who may look at users and change them: oneself, an admin, the system."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

import attrs

from dal.errors import LastAdminError, NotFoundError, PermissionDeniedError
from dal.gateways import UsersGateway, UserTokensGateway
from dal.records.actor import Role
from dal.records.audit import Outcome
from dal.records.clock import later
from dal.records.ids import check_id
from dal.records.page import Key
from dal.records.users import TokenPurpose, User
from dal.repositories.base import Reader, Repository
from dal.session import Scope

__all__ = ["TARGET", "Target", "UserRules", "after_credentials", "by_age"]

TARGET: Final = "user"
"""What an audit entry calls a user."""

_ADMINS_LOCKED: Final = 100


@attrs.frozen(slots=True)
class Target:
    """A user whose row is locked, and whether a live, active admin is left without them."""

    user: User
    other_admin: bool


def after_credentials(now: datetime, user: User) -> datetime:
    """When the credentials of a locked user change: after all that was issued for the old ones."""
    issued_at = max(user.updated_at, user.credentials_changed_at)
    if user.last_login_at is not None:
        issued_at = max(issued_at, user.last_login_at)
    return later(now, issued_at)


def by_age(user: User) -> Key:
    """Where a user stands in a list from the newest to the oldest."""
    return (user.created_at, user.id)


class UserRules(Repository):
    """What the parts of :class:`dal.repositories.users.UserRepository` share.

    An admin is one by two witnesses: the actor says so, who is vouched for by the caller, and the
    database says so at this moment. So neither a session that was opened before a demotion nor one
    that asked for less than the user's role acts as an admin.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._users = UsersGateway(scope)
        self._tokens = UserTokensGateway(scope)

    def _is_self(self, user_id: UUID) -> bool:
        return self._scope.actor.id == user_id

    async def _find_any(self, user_id: UUID) -> User | None:
        """A live user, for those who see all of them."""
        return await self._users.find_by_id(user_id=user_id, actor_id=None, actor_is_system=True)

    async def _reader_of(self, user_id: UUID) -> Reader:
        """As whom the actor reads a user: as themselves, or as one who sees all."""
        sees_all = not self._is_self(user_id) and await self._sees_all()
        return {"actor_id": self._scope.actor.id, "actor_is_system": sees_all}

    async def _sees_all(self) -> bool:
        """Whether the actor is the system, or an admin."""
        actor = self._scope.actor
        if self._by_system:
            return True
        if actor.id is None or actor.role is not Role.ADMIN:
            return False
        return await self._users.exists_admin(actor_id=actor.id)

    async def _only_admins_read(self) -> None:
        """Refuse everybody but an admin and the system.

        Raises:
            PermissionDeniedError: the actor is neither.
        """
        if not await self._sees_all():
            raise PermissionDeniedError("for admins and the system")

    async def _only_admins_change(self, action: str, user_id: UUID | None) -> None:
        """Refuse everybody but an admin, who stays one until the transaction ends, and the system.

        Raises:
            PermissionDeniedError: the actor is neither.
        """
        self._say_admin(action, user_id)
        actor_id = self._scope.actor.id
        if actor_id is not None and await self._users.lock_admin(actor_id=actor_id) is None:
            self._deny(action, TARGET, user_id, "for admins and the system")

    def _say_admin(self, action: str, user_id: UUID | None) -> None:
        """Refuse who does not even say that they are an admin, before anything is read or locked.

        Raises:
            PermissionDeniedError: the actor is neither the system nor says to be an admin.
        """
        if not self._by_system and self._scope.actor.role is not Role.ADMIN:
            self._deny(action, TARGET, user_id, "for admins and the system")

    async def _lock_changeable(self, action: str, user_id: UUID) -> User:
        """Lock the user whom the actor is, or whom an admin or the system changes.

        Raises:
            NotFoundError: not there, deleted, or somebody else.
            PermissionDeniedError: the actor is no admin any more.
        """
        check_id("user_id", user_id)
        if self._is_self(user_id):
            return await self._locked(user_id)
        self._may_be_admin()
        return await self._lock_as_admin(action, user_id)

    async def _lock_as_admin(self, action: str, user_id: UUID) -> User:
        """Lock the acting admin, who stays one, and the user they change, the older one first.

        By their ids: two admins who change each other must not wait for each other.

        Raises:
            NotFoundError: not there, or deleted.
            PermissionDeniedError: the actor is neither admin nor the system.
        """
        self._say_admin(action, user_id)
        # Who changes themselves takes the lock to change at once: two who both share it first, and
        # then both want to change, would wait for each other.
        if not self._is_self(user_id) and self._comes_first(user_id):
            await self._only_admins_change(action, user_id)
            return await self._locked(user_id)
        user = await self._users.lock_by_id(user_id=user_id)
        await self._only_admins_change(action, user_id)
        if user is None:
            raise self._absent()
        return user

    def _comes_first(self, user_id: UUID) -> bool:
        """Whether the actor is locked, and proven to be an admin, before this user is.

        Of oneself always: an admin in the trash must not be one by having been taken out.
        """
        actor_id = self._scope.actor.id
        return actor_id is None or actor_id <= user_id

    def _may_be_admin(self) -> None:
        """Tell nothing of somebody else to who does not even say that they are an admin.

        Raises:
            NotFoundError: the actor is neither the system nor says to be an admin.
        """
        if not self._by_system and self._scope.actor.role is not Role.ADMIN:
            raise self._absent()

    async def _lock_target(
        self, action: str, user_id: UUID, *, or_self: bool, of_role: bool = False
    ) -> Target:
        """Lock a user who may start or stop being an admin, and before that the admins, if so.

        Args:
            or_self: whether everybody may do this to themselves.
            of_role: whether it is the role that changes.

        Raises:
            NotFoundError: not there, or deleted; somebody else, where that is not to be told.
            PermissionDeniedError: the actor may not.
        """
        check_id("user_id", user_id)
        by_self = or_self and self._is_self(user_id)
        if or_self and not by_self:
            self._may_be_admin()
        elif not by_self:
            self._say_admin(action, user_id)
        # The admins are locked from the oldest on, before anybody: two who demote each other meet
        # at the first of them, and the second one is no admin any more when it goes on. Who becomes
        # one waits there too: their place among the admins may be one that they had before, and a
        # reader of the admins who holds the place waits for the row.
        seen = await self._find_any(user_id)
        if seen is None:
            if not by_self:
                await self._only_admins_change(action, user_id)
            raise self._absent()
        admins = await self._lock_admins() if of_role or seen.role is Role.ADMIN else None
        if by_self:
            user = await self._locked(user_id)
        else:
            user = await self._lock_as_admin(action, user_id)
        if admins is None and user.role is Role.ADMIN:
            # Made an admin since it was looked at. Out of order, so a deadlock is possible now, and
            # then all of it is repeated.
            admins = await self._lock_admins()
        return Target(user, any(admin != user_id for admin in admins or ()))

    async def _lock_admins_joined_by(self, user_id: UUID) -> None:
        """Lock the admins if this user, who is in the trash, is to be one of them again."""
        with suppress(NotFoundError):
            seen = await self._users.get_including_deleted(user_id=user_id)
            if seen.role is Role.ADMIN:
                await self._lock_admins()

    async def _lock_admins(self) -> list[UUID]:
        return await self._users.lock_admins(limit_rows=_ADMINS_LOCKED)

    async def _locked(self, user_id: UUID) -> User:
        user = await self._users.lock_by_id(user_id=user_id)
        if user is None:
            raise self._absent()
        return user

    @staticmethod
    def _absent() -> NotFoundError:
        return NotFoundError("no such user for this actor")

    async def _set_password(self, action: str, user: User, new_hash: str, now: datetime) -> User:
        """Write the password of a user whose row is locked."""
        at = after_credentials(now, user)
        await self._users.update_password(user_id=user.id, password_hash=new_hash, changed_at=at)
        await self._tokens.delete_by_purpose(user_id=user.id, purpose=TokenPurpose.PASSWORD_RESET)
        await self._audit.write(action, TARGET, user.id, at=now)
        return attrs.evolve(user, locked_until=None, credentials_changed_at=at, updated_at=at)

    def _keep_an_admin(self, action: str, target: Target) -> None:
        """Refuse to take the last one away.

        Raises:
            LastAdminError: the target is the last live, active admin.
        """
        user = target.user
        if user.role is Role.ADMIN and user.is_active and not target.other_admin:
            self._keep_attempt(action, TARGET, user.id, Outcome.DENIED)
            raise LastAdminError(
                "the last live, active admin stays: make another one first",
                constraint="last_admin",
            )
