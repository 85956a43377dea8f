"""Users against a dict of addresses: after each step every view of them is what the dict says.

What is one address is asked of the database, by the collation of the column; so is what a name
begins with, and in which order names stand.
"""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations, product
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import attrs
import pytest
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

START: Final = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
SYSTEM: Final = -1
NOBODY: Final = -2

# Addresses as people write them. A line is one address, and no two lines are, alike as they look.
SPELLINGS: Final = (
    ("ada@example.org", " ADA@Example.ORG\t", "Ada@EXAMPLE.org\u00a0"),
    ("\uff41da@example.org", "\uff21DA@EXAMPLE.ORG"),
    ("josé@example.org", "jose\u0301@example.org", "JOSE\u0301@EXAMPLE.ORG\n"),
    ("jose@example.org", "JOSE@example.org"),
    ("straße@example.org", "STRA\u1e9eE@example.org"),
    ("strasse@example.org", "STRASSE@example.org"),
    ("\u0130dil@example.org", "i\u0307dil@example.org"),
    ("idil@example.org", "IDIL@example.org"),
    ("\u0131dil@example.org",),
    ("ΟΔΟΣ@example.org", "οδος@example.org"),
    ("οδοσ@example.org",),
    ("ΟΔΌΣ@example.org", "οδο\u0301ς@example.org"),
    ("\u212bke@example.org", "A\u030ake@example.org", "åke@example.org"),
    ("ake@example.org",),
    ("a\u0323\u0302@example.org", "a\u0302\u0323@example.org", "\u1ead@example.org"),
    ("\ufb01@example.org",),
    ("fi@example.org", "FI@example.org"),
    ("\U0001f600@example.org",),
    ("\U0001f601@example.org",),
)
ALL_SPELLINGS: Final = tuple(spelling for line in SPELLINGS for spelling in line)
NO_ADDRESSES: Final = ("", "ada", "@example.org", "ada@", "a b@example.org", "ada@example..org")
NAMES: Final = (
    "Ada", "ada", "Ádá", "ADA \U0001f600", "Ada\U0001f600", "a_b 100%", "a\\b", "Straße", "strasse",
    "ß", "\U0001f601", "\U0010ffff", "  spaced",
)  # fmt: skip
TEXTS: Final = (
    "ad", "ÁDA", "a_", "a\\", "ada \U0001f600", "str", "STRASS", "ß", "s", "jose", "JOSÉ", "\u0130",
    "\u0131", "οδο", "\uff21", "\U0001f600", "\U0010ffff", "\ufb01", "f", "Å",
)  # fmt: skip

spellings = st.sampled_from(ALL_SPELLINGS) | st.sampled_from(
    SPELLINGS[0] + SPELLINGS[2] + SPELLINGS[3]
)
names = st.sampled_from(NAMES)
roles = st.sampled_from(["admin", "user", "user", "viewer"])
picks = st.integers(0, 30)
bys = st.sampled_from(["system", "system", "admin", "admin", "self", "user", "claims", "nobody"])
mostly = st.sampled_from([True, True, True, False])


@attrs.frozen
class Equalities:
    """What the database takes for equal, for alike and for first."""

    address: dict[str, int]
    """A number for each spelling: two are one address if theirs is the same."""

    starts: frozenset[tuple[str, str]]
    """Name and text, where the name starts with the text."""

    weight: dict[str, bytes]
    """Where a name stands in the order of names."""


@pytest.fixture(scope="module")
def equalities(own: Own) -> Equalities:
    ((collation,), (of_live,)) = own.ask(
        "SELECT COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()"
        " AND TABLE_NAME = 'users' AND COLUMN_NAME IN ('email', 'email_live')"
    )
    assert collation == of_live
    normal = {spelling: dal.normalize_email(spelling) for spelling in ALL_SPELLINGS}
    pairs = list(combinations(ALL_SPELLINGS, 2))

    def equal(by: str) -> set[tuple[str, str]]:
        columns = ", ".join([f"%s = %s COLLATE {by}"] * len(pairs))
        (row,) = own.ask(f"SELECT {columns}", *(normal[one] for pair in pairs for one in pair))
        return {pair for pair, same in zip(pairs, row, strict=True) if same}

    same = equal(str(collation))
    assert same == {(a, b) for a, b in pairs if normal[a] == normal[b]}
    assert same == {pair for line in SPELLINGS for pair in combinations(line, 2)}
    # The collation of the other columns would give one user's mail to another.
    assert len(equal("utf8mb4_unicode_520_ci") - same) > len(SPELLINGS)
    address: dict[str, int] = {}
    for i, spelling in enumerate(ALL_SPELLINGS):
        known = (address[a] for a in ALL_SPELLINGS[:i] if (a, spelling) in same)
        address[spelling] = next(known, i)

    named = list(product(NAMES, TEXTS))
    columns = ", ".join(["%s LIKE %s"] * len(named))
    values = [value for name, text in named for value in (name, f"{escaped(text)}%")]
    (row,) = own.ask(f"SELECT {columns}", *values)
    starts = frozenset(pair for pair, does in zip(named, row, strict=True) if does)
    columns = ", ".join(["WEIGHT_STRING(%s)"] * len(NAMES))
    (row,) = own.ask(f"SELECT {columns}", *NAMES)
    return Equalities(address, starts, dict(zip(NAMES, row, strict=True)))


def escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\%_" else c for c in text)


@attrs.frozen
class Entry:
    """What an audit entry should say."""

    action: str
    outcome: str
    target: UUID | None
    changes: dict[str, Any] = attrs.field(factory=dict)


class UserMachine(RuleBasedStateMachine):
    def __init__(self, own: Own, equalities: Equalities) -> None:
        super().__init__()
        self.own = own
        self.equalities = equalities
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.stack = AsyncExitStack()
        self.clock = dal.ManualClock(START)
        self.users: dict[UUID, dal.User] = {}
        self.address_of: dict[UUID, int] = {}
        self.live: dict[int, UUID] = {}
        self.log: list[Entry] = []
        self.stored: dict[UUID, tuple[Any, ...]] = {}
        self.n_steps = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        self.own.empty()
        how: dict[str, Any] = {**options(self.own.config), **CHEAP_HASHES}
        self.db = self.run(self.stack.enter_async_context(dal.connect(clock=self.clock, **how)))
        self.system = self.db.acting_as(dal.Actor.system("machine"))
        # So that each rule has something to work on from the first step on.
        self.create("system", 0, SPELLINGS[0][0], "Ada", "admin", None)
        self.create("system", 0, SPELLINGS[2][0], "Straße", "user", None)
        self.create("system", 0, SPELLINGS[4][0], "ada", "viewer", None)
        self.create("system", 0, SPELLINGS[3][0], "a_b 100%", "user", None)
        self.soft_delete("system", 0, 3, True)
        for n in range(3):
            self.verify_email(n)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    # ------------------------------------------------------------------ model

    def lives(self, user_id: UUID) -> bool:
        return user_id in self.users and self.users[user_id].deleted_at is None

    def is_admin(self, user_id: UUID) -> bool:
        user = self.users.get(user_id)
        return bool(user and user.role == "admin" and user.is_active and user.deleted_at is None)

    @property
    def admins(self) -> list[UUID]:
        return [user_id for user_id in self.users if self.is_admin(user_id)]

    def actor(self, by: str, k: int, target: UUID) -> dal.Actor:
        """Who does it: of the users one by number, a live admin, or the target itself."""
        if by == "system":
            return dal.Actor.system("machine")
        if by == "admin":
            return dal.Actor.user(self.admins[k % len(self.admins)], role="admin")
        if by == "nobody":
            return dal.Actor.anonymous()
        user_id = target if by == "self" else list(self.users)[k % len(self.users)]
        # The caller vouches for the role; the database has the last word.
        return dal.Actor.user(user_id, role="admin" if by == "claims" else "viewer")

    def may(self, actor: dal.Actor) -> bool:
        """Whether this is the system, or an admin by both witnesses."""
        if actor.is_system:
            return True
        return actor.id is not None and actor.role == "admin" and self.is_admin(actor.id)

    def pick(self, n: int, live: bool) -> UUID:
        """One of the live, or one of the trash; at times one that never was."""
        some = [user_id for user_id in self.users if self.lives(user_id) == live]
        return some[n % len(some)] if some and n != 30 else uuid4()

    def refusal(
        self, actor: dal.Actor, user_id: UUID, action: str, *, or_self: bool
    ) -> type[dal.DalError] | None:
        """Why the actor may not change this live user; an attempt that is kept is in the log."""
        if not (or_self and actor.id == user_id) and not self.may(actor):
            if or_self and actor.role != "admin":
                return dal.NotFoundError
            self.log.append(Entry(action, "denied", user_id))
            return dal.PermissionDeniedError
        return None if self.lives(user_id) else dal.NotFoundError

    def is_last(self, user_id: UUID, action: str) -> bool:
        """Whether no other admin is left without this one; the attempt is in the log then."""
        if self.admins != [user_id]:
            return False
        self.log.append(Entry(action, "denied", user_id))
        return True

    def expect(self, wanted: type[dal.DalError] | None, work: Coroutine[Any, Any, T]) -> T | None:
        """The result; or the error that was foretold, and then None."""
        result, ended = None, None
        try:
            result = self.run(work)
        except dal.DalError as error:
            ended = error
        assert (None if ended is None else type(ended)) is wanted, ended
        if isinstance(ended, dal.UniqueError):
            assert ended.constraint in ("uq_users_email_live", "PRIMARY")
        return result

    def wrote(self, action: str, user: dal.User, changes: dict[str, Any] | None = None) -> None:
        self.users[user.id] = user
        self.log.append(Entry(action, "success", user.id, changes or {}))

    def settle(self, user: dal.User, address: int) -> None:
        """The user has this address from now on."""
        self.leave(user.id)
        self.address_of[user.id] = address
        self.live[address] = user.id

    def leave(self, user_id: UUID) -> None:
        address = self.address_of.get(user_id, -1)
        if self.live.get(address) == user_id:
            del self.live[address]

    def after_credentials(self, user: dal.User) -> datetime:
        return later(self.clock.now(), max(user.updated_at, user.credentials_changed_at))

    # ------------------------------------------------------------------- rules

    @rule(seconds=st.sampled_from([0, 1, 86_400, -1, -1, -3_600]))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(timedelta(seconds=seconds))

    @rule(by=bys, k=picks, email=spellings, name=names, role=roles, n_id=st.none() | picks)
    def create(self, by: str, k: int, email: str, name: str, role: str, n_id: int | None) -> None:
        actor = self.actor(by, k, uuid4())
        given = None if n_id is None else self.pick(n_id, bool(n_id % 2))
        wanted: type[dal.DalError] | None = None
        if role != "user" and not self.may(actor):
            self.log.append(Entry("user.create", "denied", given))
            wanted = dal.PermissionDeniedError
        elif given in self.users or self.equalities.address[email] in self.live:
            wanted = dal.UniqueError
        work = self.db.acting_as(actor).users.create(
            email=email, full_name=name, role=role, id=given
        )
        made = self.expect(wanted, work)
        if made is None:
            return
        now = self.clock.now()
        user = dal.User(
            id=given or made.id,
            email=dal.normalize_email(email),
            full_name=name,
            role=dal.Role(role),
            is_active=True,
            email_verified_at=None,
            credentials_changed_at=now,
            locked_until=None,
            last_login_at=None,
            created_at=now,
            updated_at=now,
            deleted_at=None,
        )
        assert made == user
        self.settle(user, self.equalities.address[email])
        after = {"email": user.email, "full_name": name, "role": role}
        changes = {field: {"from": None, "to": value} for field, value in after.items()}
        self.wrote("user.create", user, changes)

    @rule(email=st.sampled_from(NO_ADDRESSES))
    def create_without_an_address(self, email: str) -> None:
        self.expect(dal.ValueRejectedError, self.system.users.create(email=email, full_name="N"))

    @rule(
        by=bys,
        k=picks,
        n=picks,
        live=mostly,
        email=st.none() | spellings,
        name=st.none() | names,
        seen=st.sampled_from([None, None, 0, 1]),
    )
    def update_details(
        self,
        by: str,
        k: int,
        n: int,
        live: bool,
        email: str | None,
        name: str | None,
        seen: int | None,
    ) -> None:
        user_id = self.pick(n, live)
        actor = self.actor(by, k, user_id)
        given: dict[str, Any] = {}
        if email is not None:
            given["email"] = email
        if name is not None:
            given["full_name"] = name
        if seen is not None:
            known = self.users[user_id].updated_at if user_id in self.users else START
            given["expected_updated_at"] = known + timedelta(seconds=seen)
        wanted = self.refusal(actor, user_id, "user.update_details", or_self=True)
        address = None if email is None else self.equalities.address[email]
        if wanted is None:
            if seen:
                wanted = dal.StaleVersionError
            elif address is not None and self.live.get(address, user_id) != user_id:
                wanted = dal.UniqueError
        back = self.expect(wanted, self.db.acting_as(actor).users.update_details(user_id, **given))
        if back is None:
            return
        before = after = self.users[user_id]
        changes: dict[str, Any] = {}
        if email is not None and address != self.address_of[user_id]:
            after = attrs.evolve(after, email=dal.normalize_email(email), email_verified_at=None)
            changes["email"] = {"from": before.email, "to": after.email}
        if name is not None and name != before.full_name:
            after = attrs.evolve(after, full_name=name)
            changes["full_name"] = {"from": before.full_name, "to": name}
        if changes:
            after = attrs.evolve(after, updated_at=later(self.clock.now(), before.updated_at))
            self.settle(after, self.address_of[user_id] if address is None else address)
            self.wrote("user.update_details", after, changes)
        assert back == after

    @rule(by=bys, k=picks, n=picks, live=mostly, role=roles)
    def change_role(self, by: str, k: int, n: int, live: bool, role: str) -> None:
        user_id = self.pick(n, live)
        actor = self.actor(by, k, user_id)
        action = "user.change_role"
        wanted = self.refusal(actor, user_id, action, or_self=False)
        if wanted is None and role != "admin" and self.is_last(user_id, action):
            wanted = dal.LastAdminError
        back = self.expect(wanted, self.db.acting_as(actor).users.access.change_role(user_id, role))
        if back is None:
            return
        before = after = self.users[user_id]
        if before.role != role:
            at = self.after_credentials(before)
            after = attrs.evolve(
                before, role=dal.Role(role), credentials_changed_at=at, updated_at=at
            )
            self.wrote(action, after, {"role": {"from": before.role, "to": role}})
        assert back == after

    @rule(by=bys, k=picks, n=picks, live=mostly, is_active=st.booleans())
    def set_activity(self, by: str, k: int, n: int, live: bool, is_active: bool) -> None:
        user_id = self.pick(n, live)
        actor = self.actor(by, k, user_id)
        action = "user.activate" if is_active else "user.deactivate"
        wanted = self.refusal(actor, user_id, action, or_self=False)
        if wanted is None and not is_active and self.is_last(user_id, action):
            wanted = dal.LastAdminError
        users = self.db.acting_as(actor).users
        back = self.expect(
            wanted, (users.access.activate if is_active else users.access.deactivate)(user_id)
        )
        if back is None:
            return
        before = after = self.users[user_id]
        if before.is_active != is_active:
            at = self.after_credentials(before)
            after = attrs.evolve(
                before, is_active=is_active, credentials_changed_at=at, updated_at=at
            )
            self.wrote(action, after, {"is_active": {"from": not is_active, "to": is_active}})
        assert back == after

    @rule(by=st.sampled_from(["system", "admin", "claims", "user"]), k=picks, n=picks, live=mostly)
    def update_password(self, by: str, k: int, n: int, live: bool) -> None:
        user_id = self.pick(n, live)
        actor = self.actor(by, k, user_id)
        if actor.id == user_id:
            actor = dal.Actor.system("machine")
        action = "user.update_password"
        wanted = self.refusal(actor, user_id, action, or_self=True)
        work = self.db.acting_as(actor).users.passwords.update(user_id, new_password="long enough")
        back = self.expect(wanted, work)
        if back is not None:
            at = self.after_credentials(self.users[user_id])
            after = attrs.evolve(self.users[user_id], credentials_changed_at=at, updated_at=at)
            self.wrote(action, after)
            assert back == after

    @rule(n=picks)
    def verify_email(self, n: int) -> None:
        """So that a change of the address has something to forget."""
        user_id = self.pick(n, True)
        user = self.users.get(user_id)
        opens = user is not None and user.is_active
        issued = self.expect(
            None if opens else dal.NotFoundError,
            self.system.users.tokens.issue_email_verification(user_id),
        )
        if issued is None or user is None:
            return
        now = self.clock.now()
        until = {"from": None, "to": (now + timedelta(days=1)).isoformat()}
        self.wrote("user.issue_email_verification", user, {"expires_at": until})
        at = user.email_verified_at or now
        after = attrs.evolve(user, email_verified_at=at, updated_at=later(now, user.updated_at))
        assert self.run(self.system.users.tokens.verify_email(issued.token)) == after
        was = user.email_verified_at.isoformat() if user.email_verified_at else None
        self.wrote(
            "user.verify_email", after, {"email_verified_at": {"from": was, "to": at.isoformat()}}
        )

    @rule(by=bys, k=picks, n=picks, live=mostly)
    def soft_delete(self, by: str, k: int, n: int, live: bool) -> None:
        user_id = self.pick(n, live)
        actor = self.actor(by, k, user_id)
        action = "user.soft_delete"
        wanted = self.refusal(actor, user_id, action, or_self=True)
        if wanted is None and self.is_last(user_id, action):
            wanted = dal.LastAdminError
        self.expect(wanted, self.db.acting_as(actor).users.soft_delete(user_id))
        if wanted is None:
            user, now = self.users[user_id], self.clock.now()
            self.leave(user_id)
            self.wrote(
                action,
                attrs.evolve(user, deleted_at=now, updated_at=max(user.updated_at, now)),
            )

    @precondition(lambda self: any(user.deleted_at for user in self.users.values()))
    @rule(by=bys, k=picks, n=picks, deleted=mostly)
    def restore(self, by: str, k: int, n: int, deleted: bool) -> None:
        user_id = self.pick(n, not deleted)
        actor = self.actor(by, k, user_id)
        wanted: type[dal.DalError] | None = None
        if not self.may(actor):
            self.log.append(Entry("user.restore", "denied", user_id))
            wanted = dal.PermissionDeniedError
        elif user_id not in self.users or self.lives(user_id):
            wanted = dal.NotFoundError
        elif self.address_of[user_id] in self.live:
            wanted = dal.UniqueError
        back = self.expect(wanted, self.db.acting_as(actor).users.restore(user_id))
        if back is not None:
            user = self.users[user_id]
            after = attrs.evolve(
                user, deleted_at=None, updated_at=max(user.updated_at, self.clock.now())
            )
            # The very same record, but for the time of the change.
            assert back == after
            self.settle(after, self.address_of[user_id])
            self.wrote("user.restore", after)

    # -------------------------------------------------------------- invariants

    @invariant()
    def every_view_is_the_models(self) -> None:
        if self.users:
            self.check_stored()
            self.check_log()
            self.run(self.check_views())

    def check_stored(self) -> None:
        """What the table holds, without the model: of a step and the one before."""
        rows = self.own.ask(
            "SELECT id, updated_at, credentials_changed_at, role, is_active, password_hash,"
            " email, deleted_at FROM users"
        )
        now = {UUID(bytes=row[0]): row[1:] for row in rows}
        assert now.keys() == self.users.keys()
        for user_id, (updated_at, credentials_at, *credentials, _, _) in now.items():
            if user_id in self.stored:
                was_updated_at, was_at, *were, _, _ = self.stored[user_id]
                assert updated_at >= was_updated_at
                assert credentials_at >= was_at
                assert (credentials_at > was_at) == (credentials != were)
        live = [row[-2] for row in now.values() if row[-1] is None]
        assert len(live) == len(set(live)) == len(self.live)
        admins = [row for row in now.values() if row[2] == "admin" and row[3] and row[-1] is None]
        assert len(admins) == len(self.admins) >= 1
        self.stored = now

    def check_log(self) -> None:
        rows = self.own.ask(
            "SELECT action, outcome, target_id, changes FROM audit_logs ORDER BY id"
        )
        found = [
            Entry(action, outcome, target and UUID(bytes=target), json.loads(changes))
            for action, outcome, target, changes in rows
        ]
        assert found == self.log

    async def check_views(self) -> None:
        users = self.system.users
        live = [user for user in self.users.values() if user.deleted_at is None]
        for user_id, user in self.users.items():
            assert await users.trash.get_including_deleted(user_id) == user
        # Some of the addresses and texts a step: with all of them at each, a third of the steps.
        self.n_steps += 1
        for spelling in ALL_SPELLINGS[self.n_steps % 7 :: 7]:
            address = self.equalities.address[spelling]
            owner = self.live.get(address)
            found = await users.find_by_email(spelling)
            assert found == (None if owner is None else self.users[owner])
            had = [user_id for user_id, other in self.address_of.items() if other == address]
            assert await users.trash.list_by_email_including_deleted(spelling) == [
                self.users[user_id] for user_id in sorted(had, reverse=True)
            ]
        await self.check_lists(live)
        await self.check_searches(live)
        await self.check_strangers(live)

    async def check_lists(self, live: list[dal.User]) -> None:
        users = self.system.users
        order = sorted(live, key=lambda user: (user.created_at, user.id), reverse=True)
        assert await pages(users.list_all) == order
        for role in dal.Role:
            listed = await pages(partial(users.list_all, role=role))
            assert listed == [user for user in order if user.role is role]
        inactive = await pages(partial(users.list_all, is_active=False))
        assert inactive == [user for user in order if not user.is_active]
        told = await users.statistics.get()
        assert await users.count() == told.total == told.never_logged_in == len(live)
        assert told.active == len(live) - told.inactive
        assert told.inactive == len(inactive)
        by_role = [user.role for user in live]
        assert (told.admins, told.users, told.viewers) == tuple(map(by_role.count, dal.Role))
        assert told.email_verified == sum(user.email_verified_at is not None for user in live)
        assert (told.locked, told.daily_active, told.monthly_active) == (0, 0, 0)
        days = [user.created_at.date() for user in live]
        assert [of.users for of in await users.statistics.new_by_day(days=100)] == [
            days.count(self.clock.now().date() - timedelta(days=ago)) for ago in range(99, -1, -1)
        ]

    async def check_searches(self, live: list[dal.User]) -> None:
        for text in TEXTS[self.n_steps % 7 :: 7]:
            by_name = [user for user in live if (user.full_name, text) in self.equalities.starts]
            by_name.sort(key=lambda user: (self.equalities.weight[user.full_name], user.id))
            start = unicodedata.normalize("NFC", text).lower()
            by_email = [user for user in live if user.email.startswith(start)]
            by_email.sort(key=lambda user: user.email)
            expected = by_name + [user for user in by_email if user not in by_name]
            assert await pages(partial(self.system.users.search, text)) == expected, text

    async def check_strangers(self, live: list[dal.User]) -> None:
        """Everybody sees themselves, admins everybody, and nobody else anybody."""
        some = next(reversed(self.users))
        for user_id, user in list(self.users.items())[self.n_steps % 3 :: 3]:
            found = user if user in live else None
            assert await self.system.users.find(user_id) == found
            me = self.db.acting_as(dal.Actor.user(user_id, role="admin")).users
            assert await me.find(user_id) == found
            if self.is_admin(user_id):
                assert await me.count() == len(live)
                assert await me.trash.get_including_deleted(some) == self.users[some]
            else:
                if some != user_id:
                    assert await me.find(some) is None
                with pytest.raises(dal.PermissionDeniedError):
                    await me.count()


async def pages(view: Callable[..., Awaitable[dal.Page[dal.User]]]) -> list[dal.User]:
    rows: list[dal.User] = []
    after = None
    while True:
        page = await view(limit=3, after=after)
        rows += page.rows
        after = page.next
        if after is None:
            return rows


def test_users_are_what_a_dict_of_addresses_says(own: Own, equalities: Equalities) -> None:
    class Machine(UserMachine):
        def __init__(self) -> None:
            super().__init__(own, equalities)

    run_state_machine_as_test(Machine, settings=machine_settings())
