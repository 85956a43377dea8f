"""Users: accounts, from their creation to the trash and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import attrs

from dal.errors import NotFoundError, StaleVersionError
from dal.gateways import TemplatesGateway
from dal.records.actor import Role
from dal.records.clock import check_time, later
from dal.records.ids import check_id, new_id
from dal.records.keep import KEEP, Keep
from dal.records.users import NewUser, User, checked_full_name, checked_role, normalize_email
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import changing
from dal.repositories.user_access_tokens import UserAccessTokens
from dal.repositories.user_lists import UserLists
from dal.repositories.user_preferences import UserPreferenceMethods
from dal.repositories.user_rules import TARGET, after_credentials

__all__ = ["UserRepository"]


class UserRepository(UserAccessTokens, UserPreferenceMethods, UserLists):
    """Users: created by anybody who may sign up; seen and changed by themselves, by admins and by
    the system.

    An admin is a live, active user whom the database calls so, in a session whose actor says so
    too. At least one of them always stays.
    """

    # ------------------------------------------------------------------ create

    async def create(
        self,
        *,
        email: str,
        full_name: str,
        password: str | None = None,
        role: Role | str = Role.USER,
        id: UUID | None = None,  # noqa: A002
    ) -> User:
        """Create a user.

        Args:
            password: without one, nobody logs in by password until one is set.
            role: another than ``user`` is given by an admin or the system.
            id: made by the caller, so that a call of unknown outcome can be looked up.

        Raises:
            PermissionDeniedError: a role, and the actor is neither admin nor the system.
            UniqueError: a live user has this address, or the id is taken.
            ValueRejectedError: ``email``, ``full_name``, ``password``, ``role`` or ``id``.
        """
        new = NewUser(email=email, full_name=full_name, role=role, id=id)
        password_hash: str | None = None
        if password is not None:
            checked = self._new_password("password", password)
            password_hash = await self._hashed(checked)
        return await self._create(new, password_hash)

    @changing
    async def _create(self, new: NewUser, password_hash: str | None) -> User:
        if new.role is not Role.USER:
            await self._only_admins_change("user.create", new.id)
        now = self._scope.clock.now()
        user = User(
            id=new.id or new_id(now),
            email=new.email,
            full_name=new.full_name,
            role=new.role,
            is_active=True,
            email_verified_at=None,
            credentials_changed_at=now,
            locked_until=None,
            last_login_at=None,
            created_at=now,
            updated_at=now,
            deleted_at=None,
        )
        await self._users.insert(
            user_id=user.id,
            email=user.email,
            full_name=user.full_name,
            role=user.role,
            password_hash=password_hash,
            now=now,
        )
        after = {"email": user.email, "full_name": user.full_name, "role": user.role}
        await self._audit.write(
            "user.create", TARGET, user.id, changes=changes_between(None, after), at=now
        )
        return user

    # -------------------------------------------------------------------- read

    async def find(self, user_id: UUID) -> User | None:
        """A live user: oneself; anyone for an admin and the system; else None.

        Raises:
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        if self._is_self(user_id):
            return await self._users.find_self(user_id=user_id, actor_id=user_id)
        if await self._sees_all():
            return await self._users.find_by_id(user_id=user_id)
        return None

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

    async def find_by_email(self, email: str) -> User | None:
        """The live user with this address, however it is written; for an admin and the system.

        Raises:
            PermissionDeniedError: the actor is neither.
            ValueRejectedError: no address at all.
        """
        address = normalize_email(email)
        await self._only_admins_read()
        return await self._users.find_by_email(email=address)

    # ------------------------------------------------------------------ change

    @changing
    async def update_details(
        self,
        user_id: UUID,
        *,
        email: str | Keep = KEEP,
        full_name: str | Keep = KEEP,
        expected_updated_at: datetime | None = None,
    ) -> User:
        """Change the address and the name: one's own, or anyone's for an admin and the system.

        The same values again are no change, and no error. A new address is not verified, and the
        tokens that were sent to the old one are revoked.

        Args:
            expected_updated_at: refuse if somebody changed the account since.

        Raises:
            NotFoundError: not there, deleted, or somebody else.
            PermissionDeniedError: the actor is no admin any more.
            StaleVersionError: changed since ``expected_updated_at``.
            UniqueError: another live user has the address.
            ValueRejectedError: ``email``, ``full_name``, ``user_id`` or ``expected_updated_at``.
        """
        given: dict[str, Any] = {}
        if not isinstance(email, Keep):
            given["email"] = normalize_email(email)
        if not isinstance(full_name, Keep):
            given["full_name"] = checked_full_name(full_name)
        if expected_updated_at is not None:
            expected_updated_at = check_time("expected_updated_at", expected_updated_at)
        before = await self._lock_changeable("user.update_details", user_id)
        if expected_updated_at is not None and before.updated_at != expected_updated_at:
            raise StaleVersionError(
                "somebody changed the account first",
                expected=expected_updated_at,
                actual=before.updated_at,
            )
        old = {field: getattr(before, field) for field in given}
        changes = changes_between(old, given)
        if not changes:
            return before
        now = self._scope.clock.now()
        after = attrs.evolve(before, **given, updated_at=later(now, before.updated_at))
        if after.email != before.email:
            after = attrs.evolve(after, email_verified_at=None)
        await self._users.update_details(
            user_id=user_id,
            email=after.email,
            full_name=after.full_name,
            email_verified_at=after.email_verified_at,
            changed_at=after.updated_at,
        )
        if after.email != before.email:
            await self._tokens.delete_by_user(user_id=user_id)
        await self._audit.write("user.update_details", TARGET, user_id, changes=changes, at=now)
        return after

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

    @changing
    async def soft_delete(self, user_id: UUID) -> None:
        """Put a user into the trash: oneself, or anyone for an admin and the system.

        What the user owns is hidden with them and comes back with them; the address is free.

        Raises:
            LastAdminError: the last live, active admin would be gone.
            NotFoundError: not there, deleted already, or somebody else.
            PermissionDeniedError: the actor is no admin any more.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        action = "user.soft_delete"
        target = await self._lock_target(action, user_id, or_self=True)
        self._keep_an_admin(action, target)
        now = self._scope.clock.now()
        await self._users.soft_delete(user_id=user_id, now=now)
        # What they think of templates counts no more.
        await TemplatesGateway(self._scope).subtract_ratings(user_id=user_id)
        await self._audit.write(action, TARGET, user_id, at=now)

    @changing
    async def restore(self, user_id: UUID) -> User:
        """Take a user out of the trash, for an admin and the system.

        Raises:
            NotFoundError: not in the trash.
            PermissionDeniedError: the actor is neither admin nor the system.
            UniqueError: somebody has the address by now.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        self._say_admin("user.restore", user_id)
        now = self._scope.clock.now()
        await self._lock_admins_joined_by(user_id)
        if self._comes_first(user_id):
            await self._only_admins_change("user.restore", user_id)
            restored = await self._users.restore(user_id=user_id, now=now)
        else:
            try:
                restored = await self._users.restore(user_id=user_id, now=now)
            finally:
                # Whatever came of it, who is no admin any more hears that alone, and it is undone.
                await self._only_admins_change("user.restore", user_id)
        if not restored:
            raise NotFoundError("no such user in the trash")
        await TemplatesGateway(self._scope).add_ratings(user_id=user_id)
        await self._audit.write("user.restore", TARGET, user_id, at=now)
        return await self._users.get_including_deleted(user_id=user_id)
