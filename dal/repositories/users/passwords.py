"""Passwords that change."""

from __future__ import annotations

from uuid import UUID

from dal.errors import NotFoundError, ValueRejectedError
from dal.passwords import checked_password
from dal.records.ids import check_id
from dal.records.users import LoginRefusal, User
from dal.repositories.base import changing, part
from dal.repositories.users.logins import COMPARISONS, Comparison, UserLogins
from dal.repositories.users.rules import UserRules

__all__ = ["UserPasswords"]


@part("users.passwords")
class UserPasswords(UserRules):
    """Passwords: ``me.users.passwords``. With a token they are set by ``me.users.tokens``."""

    async def update(
        self, user_id: UUID, *, new_password: str, current_password: str | None = None
    ) -> User:
        """Set a password: one's own, which takes the current one, or anyone's for an admin and the
        system. A lock ends, and a token to reset the password is revoked.

        A wrong current password counts as a failed log-in.

        Raises:
            AuthenticationError: the current password is wrong, or the account is locked or not
                active.
            NotFoundError: not there, deleted, or somebody else.
            PermissionDeniedError: the actor is no admin any more.
            TransientError: the account was changed each time that the password was compared.
            UsageError: one's own inside a transaction, whose rollback would forget a failure.
            ValueRejectedError: ``new_password`` is shorter than the policy, ``current_password`` is
                missing, or ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        logins = UserLogins(self._scope)
        new = logins.new_password("new_password", new_password)
        if not self._is_self(user_id):
            # First, so that nobody has passwords hashed for somebody else.
            self._may_be_admin()
            new_hash = await logins.hashed(new)
            changed = await self._update(user_id, None, new_hash)
            if changed is None:
                raise logins.unsteady()
            return logins.let_in(changed)
        logins.refuse_in_transaction("update_password of oneself")
        if current_password is None:
            raise ValueRejectedError(
                "current_password: required to change one's own", field="current_password"
            )
        given = checked_password(current_password, field="current_password")
        new_hash = ""
        for _ in range(COMPARISONS):
            account = await self._users.find_account_by_id(actor_id=user_id, user_id=user_id)
            if account is None:
                raise NotFoundError("no such user for this actor")
            comparison = await logins.compare(account, given)
            if comparison.refusal(self._scope.clock.now()) is None and not new_hash:
                new_hash = await logins.hashed(new)
            outcome = await self._update(user_id, comparison, new_hash)
            if outcome is not None:
                return logins.let_in(outcome)
        raise logins.unsteady()

    @changing
    async def _update(
        self, user_id: UUID, comparison: Comparison | None, new_hash: str
    ) -> User | LoginRefusal | None:
        """Write the outcome; None where the account is not any more what was compared."""
        action = "user.update_password"
        now = self._scope.clock.now()
        if comparison is not None and comparison.refusal(now) is not None:
            return await UserLogins(self._scope).refuse(action, comparison, now)
        user = await self._lock_changeable(action, user_id)
        if comparison is not None and not comparison.is_about(user, now):
            return None
        return await self._set_password(action, user, new_hash, now)
