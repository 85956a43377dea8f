"""Log-ins: who may come in, how often may be guessed, and how a password is compared."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import attrs

from dal.errors import AuthenticationError, TransientError, UsageError
from dal.passwords import Passwords, checked_password
from dal.records.audit import Outcome
from dal.records.ids import new_id
from dal.records.users import Account, LoginRefusal, User, normalize_email
from dal.repositories.base import changing
from dal.repositories.users.rules import TARGET, UserRules

__all__ = ["COMPARISONS", "Comparison", "UserLogins"]

COMPARISONS: Final = 5
"""How often a password is compared anew because the account has changed meanwhile."""

_REFUSED: Final = "address or password are wrong, or the account is not open"


@attrs.frozen(slots=True)
class Comparison:
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
    """Comparing passwords, for the face and for those who change one. No door of its own.

    argon2id takes long, so it is done off the event loop and outside of the transaction. Where the
    outcome is written, the account must be what was compared, else it is read and compared anew.
    """

    async def authenticate(self, *, email: str, password: str) -> User:
        """See :meth:`dal.repositories.users.UserRepository.authenticate`."""
        self.refuse_in_transaction("authenticate")
        address = normalize_email(email)
        given = checked_password(password, field="password")
        for _ in range(COMPARISONS):
            account = await self._users.find_account(email=address)
            comparison = await self._with_new_hash(await self.compare(account, given), given)
            outcome = await self._authenticate(comparison)
            if outcome is not None:
                return self.let_in(outcome)
        raise self.unsteady()

    @changing
    async def _authenticate(self, comparison: Comparison) -> User | LoginRefusal | None:
        """Write the outcome; None where the account is not any more what was compared."""
        now = self._scope.clock.now()
        account = comparison.account
        if account is None or comparison.refusal(now) is not None:
            return await self.refuse("user.authenticate", comparison, now)
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

    def new_password(self, field: str, password: object) -> str:
        """A password that may be set. Raises ValueRejectedError."""
        return checked_password(
            password, field=field, min_chars=self._scope.config.password_min_chars
        )

    def refuse_in_transaction(self, what: str) -> None:
        """Refuse what a rollback would undo. Raises UsageError."""
        if self._scope.in_transaction:
            raise UsageError(f"{what}: not in a transaction, whose rollback would forget a failure")

    async def compare(self, account: Account | None, given: str) -> Comparison:
        """Compare, and do no more: the time must not tell a right guess at a locked account."""
        stored = None if account is None else account.password_hash
        is_right = await self._scope.in_time(Passwords(self._scope.config).verify(given, stored))
        return Comparison(account, is_right)

    async def _with_new_hash(self, comparison: Comparison, given: str) -> Comparison:
        """With a hash of the present costs, if the comparison lets in and the stored one is of
        others.
        """
        account = comparison.account
        if comparison.refusal(self._scope.clock.now()) is not None or account is None:
            return comparison
        stored = account.password_hash
        if stored is None or not Passwords(self._scope.config).needs_rehash(stored):
            return comparison
        return attrs.evolve(comparison, new_hash=await self.hashed(given))

    async def hashed(self, password: str) -> str:
        """The hash of a password, of the present costs."""
        return await self._scope.in_time(Passwords(self._scope.config).hash(password))

    @staticmethod
    def let_in(outcome: User | LoginRefusal) -> User:
        """The user, where the outcome is one. Raises AuthenticationError."""
        if isinstance(outcome, LoginRefusal):
            raise AuthenticationError(_REFUSED)
        return outcome

    @staticmethod
    def unsteady() -> TransientError:
        """For an account that changed at each comparison."""
        return TransientError("the account changed each time that the password was compared")

    async def refuse(self, action: str, comparison: Comparison, now: datetime) -> LoginRefusal:
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
