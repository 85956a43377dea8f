"""Log-ins against a count and a time: after each step every account is as locked as the model says,
and the audit log says why each attempt ended as it did.

The clock is moved to where a sum of minutes would be wrong: the second half of an hour, midnight,
the ends of months and years, the end of a lock, and the microsecond before it.
"""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import dal
from dal.records.clock import later
from tests.conftest import CHEAP_HASHES, options
from tests.properties.conftest import Own
from tests.properties.profiles import machine_settings

T = TypeVar("T")

TICK: Final = timedelta(microseconds=1)
STARTS: Final = (
    datetime(1999, 12, 31, 23, 29, 59, 999_999, tzinfo=UTC),
    datetime(1999, 12, 31, 23, 45, tzinfo=UTC),
    datetime(2000, 2, 28, 23, 30, tzinfo=UTC),
    datetime(2000, 1, 1, tzinfo=UTC),
    datetime(2000, 6, 30, 12, 59, 59, tzinfo=UTC),
)
# The second one types as another machine does: decomposed, which is the same password.
FIRST: Final = ("pässwörd of a", "pässwörd of b", None)
LATER: Final = ("ånother one 1", "ånother one 2", "ånother one 3")

who = st.integers(0, 2)
by = st.sampled_from(["system", "system", "admin", "self"])


@attrs.define
class Account:
    """An account as it should be."""

    user: dal.User
    password: str | None
    failures: int = 0
    token: str | None = None
    expires_at: datetime | None = None


@attrs.frozen
class Entry:
    """What an audit entry should say; ``changes`` of None is not looked at."""

    action: str
    outcome: str
    target: bytes | None
    changes: dict[str, Any] | None = None


class LoginMachine(RuleBasedStateMachine):
    def __init__(self, own: Own) -> None:
        super().__init__()
        self.own = own
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.stack = AsyncExitStack()
        self.accounts: list[Account] = []
        self.used: list[str] = []
        self.log: list[Entry] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize(
        start=st.sampled_from(STARTS),
        max_failures=st.integers(1, 6),
        lock_s=st.sampled_from([1, 59, 1_800, 1_800, 3_600, 86_400]) | st.integers(1, 86_400),
    )
    def open(self, start: datetime, max_failures: int, lock_s: int) -> None:
        self.own.empty()
        self.clock = dal.ManualClock(start)
        self.max_failures, self.lock_for = max_failures, timedelta(seconds=lock_s)
        how: dict[str, Any] = {
            **options(self.own.config),
            **CHEAP_HASHES,
            "login_max_failures": max_failures,
            "login_lock_s": lock_s,
        }
        self.db = self.run(self.stack.enter_async_context(dal.connect(clock=self.clock, **how)))
        self.system = self.db.acting_as(dal.Actor.system("machine"))
        self.anonymous = self.db.acting_as(dal.Actor.anonymous())
        admin = self.run(
            self.system.users.create(email="admin@logins.example", full_name="A", role="admin")
        )
        self.admin = self.db.acting_as(dal.Actor.user(admin.id, role="admin"))
        self.log.append(Entry("user.create", "success", admin.id.bytes))
        for i, password in enumerate(FIRST):
            made = self.run(
                self.system.users.create(
                    email=f"{i}@logins.example", full_name=f"User {i}", password=password
                )
            )
            self.accounts.append(Account(made, password))
            self.log.append(Entry("user.create", "success", made.id.bytes))

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    # ------------------------------------------------------------------ model

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def is_locked(self, account: Account) -> bool:
        until = account.user.locked_until
        return until is not None and self.now < until

    def change(self, account: Account, **changes: object) -> None:
        account.user = attrs.evolve(account.user, **changes)  # type: ignore[arg-type]

    def after_credentials(self, user: dal.User) -> datetime:
        """When credentials change: after everything that was issued for the old ones."""
        times = [user.updated_at, user.credentials_changed_at, user.last_login_at]
        return later(self.now, max(time for time in times if time))

    def wrote(self, action: str, account: Account, changes: dict[str, Any] | None = None) -> None:
        self.log.append(Entry(action, "success", account.user.id.bytes, changes))

    def refused(self, action: str, account: Account, *, is_right: bool) -> bool:
        """Whether an attempt to log in is refused; what it leaves is in the model then."""
        user = account.user
        if user.deleted_at is not None:
            assert action == "user.authenticate"
            self.log.append(Entry(action, "failure", None, reason("unknown")))
            return True
        if self.is_locked(account):
            self.log.append(Entry(action, "failure", user.id.bytes, reason("locked")))
            return True
        if not user.is_active:
            self.log.append(Entry(action, "failure", user.id.bytes, reason("inactive")))
            return True
        if is_right:
            return False
        before = 0 if user.locked_until else account.failures
        account.failures = before + 1
        until = self.now + self.lock_for if account.failures >= self.max_failures else None
        self.change(account, locked_until=until)
        changes = reason("wrong_password")
        changes["failed_logins"] = {"from": before, "to": account.failures}
        if until:
            changes["locked_until"] = {"from": None, "to": until.isoformat()}
        self.log.append(Entry(action, "failure", user.id.bytes, changes))
        return True

    def set_password(self, action: str, account: Account, password: str) -> None:
        at = self.after_credentials(account.user)
        self.change(account, locked_until=None, credentials_changed_at=at, updated_at=at)
        account.password, account.failures, account.token = password, 0, None
        self.wrote(action, account)

    def expect(self, wanted: type[dal.DalError] | None, work: Coroutine[Any, Any, T]) -> T | None:
        """The result; or the error that was foretold, and then None."""
        result, ended = None, None
        try:
            result = self.run(work)
        except dal.DalError as error:
            ended = error
        assert (None if ended is None else type(ended)) is wanted, ended
        if isinstance(ended, dal.AuthenticationError):
            assert str(ended) in ANSWERS
        return result

    def gate(self, n: int, whose: str, action: str) -> tuple[dal.Session, bool]:
        """A session for what admins and the system do, and whether it is let in."""
        if whose == "self":
            me = self.accounts[n].user.id
            self.log.append(Entry(action, "denied", me.bytes, {}))
            return self.db.acting_as(dal.Actor.user(me, role="admin")), False
        return (self.admin if whose == "admin" else self.system), True

    def spoken(self, n: int, kind: int) -> tuple[str, bool]:
        """A password to try, and whether it is the one of the account."""
        account = self.accounts[n]
        if kind == 0 and account.password is not None:
            return unicodedata.normalize("NFD", account.password), True
        if kind == 1 and account.password is not None:
            return account.password, True
        texts = ["", "pässwörd of A", *(p for p in FIRST if p), *LATER]
        text = texts[kind % len(texts)]
        return text, text == account.password

    # ------------------------------------------------------------------- clock

    @rule(seconds=st.sampled_from([0, 1, 29 * 60, 30 * 60, 3_599, 86_400, -1, -1_800]))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(timedelta(seconds=seconds))

    @rule(minute=st.integers(30, 59), second=st.integers(0, 59))
    def into_the_second_half_of_an_hour(self, minute: int, second: int) -> None:
        wanted = self.now.replace(minute=minute, second=second)
        if wanted < self.now:
            wanted += timedelta(hours=1)
        self.clock.move(wanted - self.now)

    @rule(unit=st.sampled_from(["day", "month", "year"]), before=st.sampled_from([0, 1, 60, 1_800]))
    def to_midnight(self, unit: str, before: int) -> None:
        """Seconds before the end of a day, a month or a year, or just at it."""
        now = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        if unit == "day":
            end = now + timedelta(days=1)
        elif unit == "month":
            end = (now.replace(day=1) + timedelta(days=32)).replace(day=1)
        else:
            end = now.replace(year=now.year + 1, month=1, day=1)
        self.clock.move(end - timedelta(seconds=before) - self.now)

    @precondition(lambda self: any(account.user.locked_until for account in self.accounts))
    @rule(n=who, by=st.sampled_from([-TICK, -TICK, timedelta(0), timedelta(0), TICK]))
    def to_the_end_of_a_lock(self, n: int, by: timedelta) -> None:
        ends = [a.user.locked_until for a in self.accounts if a.user.locked_until]
        self.clock.move(ends[n % len(ends)] + by - self.now)

    # ------------------------------------------------------------------- rules

    @rule(n=who, kind=st.sampled_from([0, 0, 1, *range(2, 8)]), shout=st.booleans())
    def log_in(self, n: int, kind: int, shout: bool) -> None:
        account = self.accounts[n]
        password, is_right = self.spoken(n, kind)
        email = f"  {account.user.email.upper()} " if shout else account.user.email
        refused = self.refused("user.authenticate", account, is_right=is_right)
        back = self.expect(
            dal.AuthenticationError if refused else None,
            self.anonymous.users.authenticate(email=email, password=password),
        )
        if back is not None:
            account.failures = 0
            user = account.user
            at = max(self.now, user.last_login_at or self.now, user.credentials_changed_at)
            self.change(account, locked_until=None, last_login_at=at)
            self.wrote("user.authenticate", account, {})
            assert back == account.user

    @rule(n=who, times=st.integers(1, 7))
    def guess(self, n: int, times: int) -> None:
        for _ in range(times):
            self.log_in(n, 3, False)

    @rule(n=who)
    def log_in_at_last(self, n: int) -> None:
        """One guess too few for a lock, and then the right password."""
        for _ in range(self.max_failures - 1):
            self.log_in(n, 3, False)
        self.log_in(n, 1, False)

    @rule(n=who, before=st.sampled_from([0, 1, 3]), at_end=st.sampled_from([1, 1, 3]))
    def wait_for_the_end_of_a_lock(self, n: int, before: int, at_end: int) -> None:
        """As many guesses as lock, one more a microsecond too soon, and another in time."""
        for _ in range(self.max_failures):
            self.log_in(n, 3, False)
        until = self.accounts[n].user.locked_until
        if until is not None:
            self.clock.move(until - TICK - self.now)
            self.log_in(n, before, False)
            self.clock.move(until - self.now)
            self.log_in(n, at_end, False)

    @rule(email=st.sampled_from(["nobody@logins.example", "0@logins.example.org"]))
    def log_in_as_nobody(self, email: str) -> None:
        self.log.append(Entry("user.authenticate", "failure", None, reason("unknown")))
        self.expect(
            dal.AuthenticationError,
            self.anonymous.users.authenticate(email=email, password="pässwörd of a"),
        )

    @rule(n=who, whose=by)
    def unlock(self, n: int, whose: str) -> None:
        account = self.accounts[n]
        session, may = self.gate(n, whose, "user.unlock")
        wanted: type[dal.DalError] | None = None
        if not may:
            wanted = dal.PermissionDeniedError
        elif account.user.deleted_at:
            wanted = dal.NotFoundError
        back = self.expect(wanted, session.users.access.unlock(account.user.id))
        if back is not None:
            until = account.user.locked_until
            if until or account.failures:
                account.failures = 0
                at = later(self.now, account.user.updated_at)
                self.change(account, locked_until=None, updated_at=at)
                ended = {"locked_until": {"from": until.isoformat(), "to": None}} if until else {}
                self.wrote("user.unlock", account, ended)
            assert back == account.user

    @rule(n=who, whose=by, is_active=st.booleans())
    def set_activity(self, n: int, whose: str, is_active: bool) -> None:
        account = self.accounts[n]
        action = "user.activate" if is_active else "user.deactivate"
        session, may = self.gate(n, whose, action)
        wanted: type[dal.DalError] | None = None
        if not may:
            wanted = dal.PermissionDeniedError
        elif account.user.deleted_at:
            wanted = dal.NotFoundError
        method = session.users.access.activate if is_active else session.users.access.deactivate
        back = self.expect(wanted, method(account.user.id))
        if back is not None:
            if account.user.is_active != is_active:
                at = self.after_credentials(account.user)
                self.change(account, is_active=is_active, credentials_changed_at=at, updated_at=at)
                self.wrote(action, account)
            assert back == account.user

    @rule(n=who, kind=st.sampled_from([1, 1, 3, 4]), whose=by, new=st.sampled_from(LATER))
    def update_password(self, n: int, kind: int, whose: str, new: str) -> None:
        account = self.accounts[n]
        is_deleted = account.user.deleted_at is not None
        wanted: type[dal.DalError] | None = dal.NotFoundError if is_deleted else None
        if whose == "self":
            current, is_right = self.spoken(n, kind)
            if not is_deleted and self.refused("user.update_password", account, is_right=is_right):
                wanted = dal.AuthenticationError
            session = self.db.acting_as(dal.Actor.user(account.user.id))
            work = session.users.passwords.update(
                account.user.id, new_password=new, current_password=current
            )
        else:
            session = self.admin if whose == "admin" else self.system
            work = session.users.passwords.update(account.user.id, new_password=new)
        back = self.expect(wanted, work)
        if back is not None:
            self.set_password("user.update_password", account, new)
            assert back == account.user

    @rule(n=who, minutes=st.sampled_from([1, 60, 43_200]))
    def issue_token(self, n: int, minutes: int) -> None:
        account = self.accounts[n]
        valid_for = timedelta(minutes=minutes)
        issued = self.expect(
            None,
            self.system.users.tokens.issue_password_reset(account.user.email, valid_for=valid_for),
        )
        assert (issued is not None) == (account.user.is_active and account.user.deleted_at is None)
        if issued is not None:
            if account.token is not None:
                self.used.append(account.token)
            account.token, account.expires_at = issued.token.reveal(), self.now + valid_for
            assert issued.expires_at == account.expires_at
            self.wrote("user.issue_password_reset", account)

    @precondition(lambda self: self.used or any(account.token for account in self.accounts))
    @rule(
        n=st.integers(0, 30),
        replaced=st.sampled_from([False, False, True]),
        new=st.sampled_from(LATER),
    )
    def reset_password(self, n: int, replaced: bool, new: str) -> None:
        holders = [account for account in self.accounts if account.token]
        account = None if (replaced and self.used) or not holders else holders[n % len(holders)]
        token = self.used[n % len(self.used)] if account is None else account.token
        assert token is not None
        is_valid = (
            account is not None
            and account.expires_at is not None
            and self.now < account.expires_at
            and account.user.is_active
            and account.user.deleted_at is None
        )
        assert self.run(self.anonymous.users.tokens.is_password_reset_valid(token)) == is_valid
        if not is_valid:
            self.log.append(Entry("user.reset_password", "failure", None, {}))
        back = self.expect(
            None if is_valid else dal.AuthenticationError,
            self.anonymous.users.tokens.reset_password(token, new_password=new),
        )
        if back is not None and account is not None:
            self.used.append(token)
            self.set_password("user.reset_password", account, new)
            assert back == account.user

    @rule(n=who)
    def soft_delete(self, n: int) -> None:
        account = self.accounts[n]
        user = account.user
        wanted = dal.NotFoundError if user.deleted_at else None
        self.expect(wanted, self.system.users.soft_delete(user.id))
        if wanted is None:
            self.change(account, deleted_at=self.now, updated_at=max(user.updated_at, self.now))
            self.wrote("user.soft_delete", account)

    @precondition(lambda self: any(account.user.deleted_at for account in self.accounts))
    @rule()
    def restore_all(self) -> None:
        """All at once, so that most steps find an account to log in to."""
        for account in self.accounts:
            user = account.user
            if user.deleted_at is not None:
                back = self.expect(None, self.system.users.restore(user.id))
                self.change(account, deleted_at=None, updated_at=max(user.updated_at, self.now))
                self.wrote("user.restore", account)
                assert back == account.user

    # -------------------------------------------------------------- invariants

    @invariant()
    def every_account_is_the_models(self) -> None:
        if self.accounts:
            self.run(self.check_accounts())
            self.check_log()

    async def check_accounts(self) -> None:
        live = [a.user for a in self.accounts if a.user.deleted_at is None]
        for account in self.accounts:
            user = account.user
            assert await self.system.users.trash.get_including_deleted(user.id) == user
            open_at = await self.system.users.access.find_credentials_changed_at(user.id)
            assert open_at == (
                user.credentials_changed_at if user in live and user.is_active else None
            )
        ids = [account.user.id.bytes for account in self.accounts]
        stored = dict(self.own.ask("SELECT id, failed_logins FROM users WHERE id IN %s", ids))
        assert [stored[user_id] for user_id in ids] == [a.failures for a in self.accounts]
        told = await self.system.users.statistics.get()
        assert told.locked == sum(
            user.locked_until is not None and user.locked_until > self.now for user in live
        )
        assert told.never_logged_in == 1 + sum(user.last_login_at is None for user in live)
        day_ago = self.now - timedelta(days=1)
        assert told.daily_active == sum(
            user.last_login_at is not None and user.last_login_at >= day_ago for user in live
        )

    def check_log(self) -> None:
        """One entry an attempt, in order, each with its reason."""
        rows = self.own.ask(
            "SELECT action, outcome, target_id, changes FROM audit_logs ORDER BY id"
        )
        assert len(rows) == len(self.log)
        for (action, outcome, target, changes), entry in zip(rows, self.log, strict=True):
            kept = None if entry.changes is None else json.loads(changes)
            found = Entry(action, outcome, target, kept)
            assert found == entry


def reason(why: str) -> dict[str, Any]:
    return {"reason": {"from": None, "to": why}}


# To whoever asks, each refusal is the same.
ANSWERS: Final = (
    "address or password are wrong, or the account is not open",
    "the token is not valid",
)


def test_accounts_are_locked_as_the_model_says(own: Own) -> None:
    class Machine(LoginMachine):
        def __init__(self) -> None:
            super().__init__(own)

    run_state_machine_as_test(Machine, settings=machine_settings())
