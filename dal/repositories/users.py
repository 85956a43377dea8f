"""Users, as much as it takes to own something."""

from __future__ import annotations

from uuid import UUID

from dal.errors import NotFoundError, PermissionDeniedError
from dal.gateways import UsersGateway
from dal.records.ids import check_id, new_id
from dal.records.users import NewUser, User, normalize_email
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import Repository, changing
from dal.session import Scope

__all__ = ["UserRepository"]


class UserRepository(Repository):
    """Users: created by anybody who may sign up, seen by themselves and by the system."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._users = UsersGateway(scope)

    @changing
    async def create(self, *, email: str, full_name: str, id: UUID | None = None) -> User:  # noqa: A002
        """Create a user.

        Args:
            id: made by the caller, so that a call of unknown outcome can be looked up.

        Raises:
            ValueRejectedError: ``email``, ``full_name`` or ``id``.
            UniqueError: a live user has this address, or the id is taken.
        """
        new = NewUser(email=email, full_name=full_name, id=id)
        now = self._scope.clock.now()
        user = User(
            id=new.id or new_id(now),
            email=new.email,
            full_name=new.full_name,
            created_at=now,
            updated_at=now,
            deleted_at=None,
        )
        await self._users.insert(
            user_id=user.id, email=user.email, full_name=user.full_name, now=now
        )
        after = {"email": user.email, "full_name": user.full_name}
        await self._audit.write(
            "user.create", "user", user.id, changes=changes_between(None, after), at=now
        )
        return user

    async def find(self, user_id: UUID) -> User | None:
        """A live user: anyone for the system, oneself for a user, else None.

        Raises:
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        actor = self._scope.actor
        if actor.is_system:
            return await self._users.find_by_id(user_id=user_id)
        if actor.id is None:
            return None
        return await self._users.find_self(user_id=user_id, actor_id=actor.id)

    async def get(self, user_id: UUID) -> User:
        """As :meth:`find`.

        Raises:
            NotFoundError: not there, deleted, or somebody else.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        user = await self.find(user_id)
        if user is None:
            raise NotFoundError("no such user for this actor")
        return user

    async def find_by_email(self, email: str) -> User | None:
        """The live user with this address, however it is written; for the system.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: no address at all.
        """
        self._only_system("users are looked up by address by the system alone")
        return await self._users.find_by_email(email=normalize_email(email))

    async def count(self) -> int:
        """How many live users there are; for the system.

        Raises:
            PermissionDeniedError: the actor is not the system.
        """
        self._only_system("users are counted by the system alone")
        return await self._users.count_all()

    @changing
    async def soft_delete(self, user_id: UUID) -> None:
        """Put a user into the trash: oneself, or anyone for the system.

        What the user owns is hidden with them and comes back with them.

        Raises:
            NotFoundError: not there, deleted already, or somebody else.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        actor = self._scope.actor
        if not actor.is_system and actor.id != user_id:
            raise NotFoundError("no such user for this actor")
        now = self._scope.clock.now()
        if not await self._users.soft_delete(user_id=user_id, now=now):
            raise NotFoundError("no such user for this actor")
        await self._audit.write("user.soft_delete", "user", user_id, at=now)

    @changing
    async def restore(self, user_id: UUID) -> User:
        """Take a user out of the trash, for the system.

        Raises:
            PermissionDeniedError: the actor is not the system.
            NotFoundError: not in the trash.
            UniqueError: somebody has the address by now.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        if not self._scope.actor.is_system:
            self._deny("user.restore", "user", user_id, "users are restored by the system alone")
        now = self._scope.clock.now()
        if not await self._users.restore(user_id=user_id, now=now):
            raise NotFoundError("no such user in the trash")
        await self._audit.write("user.restore", "user", user_id, at=now)
        return await self.get(user_id)

    def _only_system(self, why: str) -> None:
        if not self._scope.actor.is_system:
            raise PermissionDeniedError(why)
