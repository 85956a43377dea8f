"""Log-ins: who may come in, how often may be guessed, and passwords that change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import attrs

from dal.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    TransientError,
    UsageError,
    ValueRejectedError,
)
from dal.passwords import Passwords, checked_password
from dal.records.audit import Outcome
from dal.records.clock import later
from dal.records.ids import check_id, new_id
from dal.records.users import Account, LoginRefusal, TokenPurpose, User, normalize_email
from dal.repositories.base import changing
from dal.repositories.user_rules import TARGET, UserRules, after_credentials

__all__ = ["UserLogins"]

_COMPARISONS: Final = 5
_REFUSED: Final = "address or password are wrong, or the account is not open"


@attrs.frozen(slots=True)
class _Comparison:
    """A password that was compared with an account's; ``new_hash`` where the costs have changed."""

    account: Account | None
    is_right: bool
    new_hash: str | None = attrs.field(default=None, repr=False)

    def refusal(self, now: datetime) -> LoginRefusal | None:
        """Why this is no log-in, as far as the account was known when it was read."""
        account = self.account
        if account is None:
            return LoginRefusal.UNKNOWN
        if account.locked_until is not None and account.locked_until > now:
            return LoginRefusal.LOCKED
        if not account.is_active:
            return LoginRefusal.INACTIVE
        return None if self.is_right else LoginRefusal.WRONG_PASSWORD

    def is_about(self, user: User, now: datetime) -> bool:
        """Whether a locked row still has what was compared, and is open."""
        return (
            self.account is not None
            and user.is_active
            and (user.locked_until is None or user.locked_until <= now)
            and user.credentials_changed_at == self.account.credentials_changed_at
        )


class UserLogins(UserRules):
    """The part of :class:`UserRepository` that compares and sets passwords.

    argon2id takes long, so it is done off the event loop and outside of the transaction. Where the
    outcome is written, the account must be what was compared, else it is read and compared anew.
    """

    async def authenticate(self, *, email: str, password: str) -> User:
        """Log a user in by address and password.

        Whatever the reason of a refusal, the answer is the same, and so is the work: an unknown
        address takes as long as a wrong password, and as many statements. The reason, a
        :class:`LoginRefusal`, stands in the audit log. After ``login_max_failures`` failures in a
        row the account is locked for ``login_lock_s``; guesses meanwhile neither succeed nor
        lengthen it.

        Returns:
            The user, with ``last_login_at`` of now.

        Raises:
            AuthenticationError: refused.
            StatementTimeoutError: over the time of ``within()``; there is no answer, and it is not
                counted.
            TransientError: the account was changed each time that the password was compared.
            UsageError: inside a transaction, whose rollback would forget the failure.
            ValueRejectedError: ``email`` is no address, or ``password`` no text or over 1,024
                characters.
        """
        self._refuse_in_transaction("authenticate")
        address = normalize_email(email)
        given = checked_password(password, field="password")
        for _ in range(_COMPARISONS):
            account = await self._users.find_account(email=address)
            comparison = await self._with_new_hash(await self._compare(account, given), given)
            outcome = await self._authenticate(comparison)
            if outcome is not None:
                return self._let_in(outcome)
        raise self._unsteady()

    @changing
    async def _authenticate(self, comparison: _Comparison) -> User | LoginRefusal | None:
        """Write the outcome; None where the account is not any more what was compared."""
        now = self._scope.clock.now()
        account = comparison.account
        if account is None or comparison.refusal(now) is not None:
            return await self._refuse("user.authenticate", comparison, now)
        if not await self._users.record_login(
            user_id=account.id,
            known_updated_at=account.updated_at,
            password_hash=comparison.new_hash,
            now=now,
        ):
            return None
        at = max(now, account.last_login_at or now, account.credentials_changed_at)
        await self._audit.write("user.authenticate", TARGET, account.id, at=now)
        return attrs.evolve(account.user, locked_until=None, last_login_at=at)

    async def update_password(
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
        new = self._new_password("new_password", new_password)
        if not self._is_self(user_id):
            # First, so that nobody has passwords hashed for somebody else.
            self._may_be_admin()
            new_hash = await self._hashed(new)
            changed = await self._update_password(user_id, None, new_hash)
            if changed is None:
                raise self._unsteady()
            return self._let_in(changed)
        self._refuse_in_transaction("update_password of oneself")
        if current_password is None:
            raise ValueRejectedError(
                "current_password: required to change one's own", field="current_password"
            )
        given = checked_password(current_password, field="current_password")
        new_hash = ""
        for _ in range(_COMPARISONS):
            account = await self._users.find_account_by_id(actor_id=user_id, user_id=user_id)
            if account is None:
                raise NotFoundError("no such user for this actor")
            comparison = await self._compare(account, given)
            if comparison.refusal(self._scope.clock.now()) is None and not new_hash:
                new_hash = await self._hashed(new)
            outcome = await self._update_password(user_id, comparison, new_hash)
            if outcome is not None:
                return self._let_in(outcome)
        raise self._unsteady()

    @changing
    async def _update_password(
        self, user_id: UUID, comparison: _Comparison | None, new_hash: str
    ) -> User | LoginRefusal | None:
        """Write the outcome; None where the account is not any more what was compared."""
        action = "user.update_password"
        now = self._scope.clock.now()
        if comparison is not None and comparison.refusal(now) is not None:
            return await self._refuse(action, comparison, now)
        user = await self._lock_changeable(action, user_id)
        if comparison is not None and not comparison.is_about(user, now):
            return None
        return await self._set_password(action, user, new_hash, now)

    async def _set_password(self, action: str, user: User, new_hash: str, now: datetime) -> User:
        """Write the password of a user whose row is locked."""
        at = after_credentials(now, user)
        await self._users.update_password(user_id=user.id, password_hash=new_hash, changed_at=at)
        await self._tokens.delete_by_purpose(user_id=user.id, purpose=TokenPurpose.PASSWORD_RESET)
        await self._audit.write(action, TARGET, user.id, at=now)
        return attrs.evolve(user, locked_until=None, credentials_changed_at=at, updated_at=at)

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
        if not self._scope.actor.is_system:
            raise PermissionDeniedError("for the system alone")
        return await self._users.find_credentials_changed_at(user_id=user_id)

    # ------------------------------------------------------------------- rules

    def _new_password(self, field: str, password: object) -> str:
        return checked_password(
            password, field=field, min_chars=self._scope.config.password_min_chars
        )

    def _refuse_in_transaction(self, what: str) -> None:
        if self._scope.in_transaction:
            raise UsageError(f"{what}: not in a transaction, whose rollback would forget a failure")

    async def _compare(self, account: Account | None, given: str) -> _Comparison:
        """Compare, and do no more: the time must not tell a right guess at a locked account."""
        stored = None if account is None else account.password_hash
        is_right = await self._scope.in_time(Passwords(self._scope.config).verify(given, stored))
        return _Comparison(account, is_right)

    async def _with_new_hash(self, comparison: _Comparison, given: str) -> _Comparison:
        """With a hash of the present costs, if the comparison lets in and the stored one is of
        others.
        """
        account = comparison.account
        if comparison.refusal(self._scope.clock.now()) is not None or account is None:
            return comparison
        stored = account.password_hash
        if stored is None or not Passwords(self._scope.config).needs_rehash(stored):
            return comparison
        return attrs.evolve(comparison, new_hash=await self._hashed(given))

    async def _hashed(self, password: str) -> str:
        return await self._scope.in_time(Passwords(self._scope.config).hash(password))

    @staticmethod
    def _let_in(outcome: User | LoginRefusal) -> User:
        if isinstance(outcome, LoginRefusal):
            raise AuthenticationError(_REFUSED)
        return outcome

    @staticmethod
    def _unsteady() -> TransientError:
        return TransientError("the account changed each time that the password was compared")

    async def _refuse(self, action: str, comparison: _Comparison, now: datetime) -> LoginRefusal:
        """Count the failure, where there is one to count, and write the reason.

        Nothing is counted for an address that nobody has, nor at an account that is not open. The
        statement is sent all the same, about nobody.
        """
        config = self._scope.config
        account = comparison.account
        reason = comparison.refusal(now) or LoginRefusal.WRONG_PASSWORD
        counts = account is not None and reason is LoginRefusal.WRONG_PASSWORD
        lock_until = now + timedelta(seconds=config.login_lock_s)
        failures = await self._users.record_failure(
            user_id=account.id if account is not None and counts else new_id(now),
            max_failures=config.login_max_failures,
            lock_until=lock_until,
            now=now,
        )
        if counts and failures is None:
            # By other guesses, while this one was compared.
            reason = LoginRefusal.LOCKED
        changes: dict[str, object] = {"reason": {"from": None, "to": reason}}
        if failures is not None:
            changes["failed_logins"] = {"from": failures - 1, "to": failures}
            if failures >= config.login_max_failures:
                changes["locked_until"] = {"from": None, "to": lock_until}
        await self._audit.write(
            action,
            TARGET,
            None if account is None else account.id,
            changes=changes,
            affected=0 if failures is None else 1,
            outcome=Outcome.FAILURE,
            at=now,
        )
        return reason
