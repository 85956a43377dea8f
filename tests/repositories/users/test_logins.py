"""Log-ins: one answer to whoever is refused, guesses that are counted, passwords that change.

What must happen while argon2id runs is done by a hook on the statement before it, in a loop of
another thread: so it is always done before the statement after it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID, uuid4

import attrs
import pytest
from argon2 import PasswordHasher, extract_parameters

import dal
from dal.config import Config
from tests import conftest
from tests.conftest import START, Recorder, options
from tests.repositories.conftest import Root

PASSWORD: Final = "correct horse"
WRONG: Final = "wrong horse"
CHEAP_HASHES: Final[dict[str, Any]] = dict(conftest.CHEAP_HASHES)
OTHER_COSTS: Final[dict[str, Any]] = {**CHEAP_HASHES, "argon2_time_cost": 2}
TICK: Final = timedelta(microseconds=1)
LOCK: Final = timedelta(minutes=30)
REFUSED: Final = [
    "users/find_account",
    "transaction/start",
    "users/record_failure",
    "audit_logs/insert",
    "transaction/commit",
]


@attrs.frozen
class Row:
    """What the server has of a user, the hash too."""

    password_hash: str | None
    failed_logins: int
    locked_until: datetime | None
    last_login_at: datetime | None
    credentials_changed_at: datetime
    updated_at: datetime


@attrs.frozen
class World:
    """A database with a clock and a recorder of its own, since locks are about time."""

    db: dal.Database
    config: Config
    clock: dal.ManualClock
    recorder: Recorder
    root: Root

    @property
    def system(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.system("logins"))

    @property
    def nobody(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.anonymous(ip="192.0.2.1"))

    async def user(self, password: str | None = PASSWORD) -> dal.User:
        return await self.system.users.create(
            email=f"{uuid4()}@logins.example", full_name="Ada", password=password
        )

    async def admin(self) -> dal.Session:
        user = await self.user()
        await self.system.users.access.change_role(user.id, "admin")
        return self.db.acting_as(dal.Actor.user(user.id, role="admin"))

    def acting(self, user: dal.User) -> dal.Session:
        return self.db.acting_as(dal.Actor.user(user.id))

    async def log_in(self, user: dal.User, password: str = PASSWORD) -> dal.User:
        return await self.nobody.users.authenticate(email=user.email, password=password)

    async def refused(self, user: dal.User, password: str = WRONG) -> dict[str, Any]:
        """Try to log in, and give what the newest entry of the user says."""
        with pytest.raises(dal.AuthenticationError):
            await self.log_in(user, password)
        return (await self.newest(user)).changes

    async def entries(self, user: dal.User) -> tuple[dal.AuditEntry, ...]:
        return (await self.system.audit.list_of_target("user", user.id, limit=500)).rows

    async def newest(self, user: dal.User) -> dal.AuditEntry:
        rows = await self.entries(user)
        # Of entries of one microsecond, the ids go up.
        return max(rows, key=lambda entry: (entry.occurred_at, entry.id))

    def row(self, user: dal.User) -> Row:
        (found,) = self.root(
            "SELECT password_hash, failed_logins, locked_until, last_login_at,"
            " credentials_changed_at, updated_at FROM users WHERE id = %s",
            user.id.bytes,
        )
        times: list[Any] = [at and at.replace(tzinfo=START.tzinfo) for at in found[2:]]
        return Row(found[0], found[1], *times)


@pytest.fixture
async def world(config: Config, root: Root) -> AsyncIterator[World]:
    async with opened(config, root) as made:
        yield made


@asynccontextmanager
async def opened(
    config: Config,
    root: Root,
    *,
    clock: dal.ManualClock | None = None,
    hook: Callable[[str], None] | None = None,
    **more: Any,
) -> AsyncIterator[World]:
    clock, recorder = clock or dal.ManualClock(START), Recorder()

    def on_statement(
        name: str,
        engine: str,
        elapsed_s: float,
        rows: int,
        attempt: int,
        error: BaseException | None,
    ) -> None:
        recorder(name, engine, elapsed_s, rows, attempt, error)
        if hook is not None:
            hook(name)

    given = {**options(config), **CHEAP_HASHES, **more}
    async with dal.connect(clock=clock, on_statement=on_statement, **given) as db:
        yield World(db, config, clock, recorder, root)


@attrs.define
class Meanwhile:
    """Does something, once, right after a statement, and holds the whole loop until it is done."""

    after: str
    work: Callable[[], Coroutine[Any, Any, object]] | None = None
    n_done: int = 0

    def __call__(self, name: str) -> None:
        if name != self.after or self.work is None:
            return
        work, self.work = self.work, None
        with ThreadPoolExecutor(1) as threads:
            threads.submit(asyncio.run, work()).result()
        self.n_done += 1


# ------------------------------------------------------------ answers and statements


async def locked(world: World) -> tuple[str, str, UUID | None]:
    user = await world.user()
    for _ in range(5):
        await world.refused(user)
    return user.email, PASSWORD, user.id


async def inactive(world: World) -> tuple[str, str, UUID | None]:
    user = await world.user()
    await world.system.users.access.deactivate(user.id)
    return user.email, PASSWORD, user.id


async def wrong_password(world: World) -> tuple[str, str, UUID | None]:
    user = await world.user()
    return user.email, WRONG, user.id


async def no_password(world: World) -> tuple[str, str, UUID | None]:
    user = await world.user(None)
    return user.email, PASSWORD, user.id


async def unknown(world: World) -> tuple[str, str, UUID | None]:
    return f"{uuid4()}@nobody.example", PASSWORD, None


async def deleted(world: World) -> tuple[str, str, UUID | None]:
    user = await world.user()
    await world.system.users.soft_delete(user.id)
    return user.email, PASSWORD, None


SITUATIONS: Final[
    dict[str, tuple[Callable[[World], Awaitable[tuple[str, str, UUID | None]]], dal.LoginRefusal]]
] = {
    "locked": (locked, dal.LoginRefusal.LOCKED),
    "inactive": (inactive, dal.LoginRefusal.INACTIVE),
    "wrong_password": (wrong_password, dal.LoginRefusal.WRONG_PASSWORD),
    "no_password": (no_password, dal.LoginRefusal.WRONG_PASSWORD),
    "unknown": (unknown, dal.LoginRefusal.UNKNOWN),
    "deleted": (deleted, dal.LoginRefusal.UNKNOWN),
}


async def test_a_log_in(world: World) -> None:
    user = await world.user()
    world.clock.move(timedelta(days=1))
    world.recorder.clear()
    found = await world.nobody.users.authenticate(
        email=f"  {user.email.upper()} ", password=PASSWORD
    )
    assert world.recorder.names == [
        "users/find_account",
        "transaction/start",
        "users/record_login",
        "audit_logs/insert",
        "transaction/commit",
    ]
    assert type(found) is dal.User
    assert found == attrs.evolve(user, last_login_at=world.clock.now())
    assert await world.system.users.get(user.id) == found
    entry = await world.newest(user)
    assert (entry.action, entry.outcome) == ("user.authenticate", dal.Outcome.SUCCESS)
    assert (entry.changes, entry.affected) == ({}, 1)
    assert (entry.actor_type, entry.ip) == (dal.ActorType.ANONYMOUS, "192.0.2.1")
    assert entry.occurred_at == world.clock.now()


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_a_refusal(world: World, situation: str) -> None:
    make, reason = SITUATIONS[situation]
    email, password, target_id = await make(world)
    request_id = uuid4().hex
    somebody = world.db.acting_as(dal.Actor.anonymous(request_id=request_id))
    world.recorder.clear()
    with pytest.raises(dal.AuthenticationError) as caught:
        await somebody.users.authenticate(email=email, password=password)
    assert world.recorder.names == REFUSED
    assert world.recorder.errors == []
    found = world.root(
        "SELECT action, target_type, target_id, outcome, changes, affected FROM audit_logs"
        " WHERE request_id = %s",
        request_id,
    )
    assert len(found) == 1
    action, target_type, target, outcome, changes, affected = found[0]
    assert (action, target_type, outcome) == ("user.authenticate", "user", "failure")
    assert target == (None if target_id is None else target_id.bytes)
    told = json.loads(changes)
    assert dal.LoginRefusal(told["reason"]["to"]) is reason
    assert told["reason"]["from"] is None
    assert affected == (1 if "failed_logins" in told else 0)
    assert "@" not in changes
    # What was typed may be a password.
    typed = world.root(
        "SELECT COUNT(*) FROM audit_logs WHERE outcome = 'failure'"
        " AND CONCAT_WS(' ', changes, actor_name, ip, user_agent) LIKE %s",
        f"%{email}%",
    )
    assert typed == [(0,)]
    with pytest.raises(dal.AuthenticationError) as of_nobody:
        await somebody.users.authenticate(email="a@nobody.example", password="p")
    assert seen(caught.value) == seen(of_nobody.value)


def seen(error: BaseException) -> tuple[object, ...]:
    context = error.__context__, error.__cause__
    return type(error), str(error), repr(error), error.args, vars(error), context


async def test_a_lone_actor_of_any_kind_logs_in(world: World) -> None:
    user = await world.user()
    for session in (world.system, world.nobody, world.acting(user), await world.admin()):
        found = await session.users.authenticate(email=user.email, password=PASSWORD)
        assert found.id == user.id


# ------------------------------------------------------------------------- lock-out


async def test_five_failures_lock_for_thirty_minutes(world: World) -> None:
    user = await world.user()
    until = START + LOCK
    for n in range(1, 6):
        changes = await world.refused(user)
        assert changes["reason"]["to"] == "wrong_password"
        assert changes["failed_logins"] == {"from": n - 1, "to": n}
        assert ("locked_until" in changes) == (n == 5)
        assert world.row(user).failed_logins == n
        assert world.row(user).locked_until == (until if n == 5 else None)
    assert changes["locked_until"] == {"from": None, "to": until.isoformat()}
    assert (await world.system.users.get(user.id)).locked_until == until
    before = world.row(user)
    for _ in range(7):
        world.clock.move(timedelta(minutes=2))
        for password in (WRONG, PASSWORD):
            assert await world.refused(user, password) == {"reason": {"from": None, "to": "locked"}}
    # Neither counted nor longer.
    assert world.row(user) == before
    world.clock.move(until - TICK - world.clock.now())
    assert (await world.refused(user, PASSWORD))["reason"]["to"] == "locked"
    world.clock.move(TICK)
    found = await world.log_in(user)
    assert found.locked_until is None
    assert (await world.system.users.get(user.id)) == found
    assert world.row(user) == attrs.evolve(
        before, failed_logins=0, locked_until=None, last_login_at=until
    )


async def test_after_a_lock_it_is_counted_from_the_start(world: World) -> None:
    user = await world.user()
    for _ in range(5):
        await world.refused(user)
    world.clock.move(LOCK)
    for n in range(1, 5):
        changes = await world.refused(user)
        assert changes["failed_logins"]["to"] == n
        assert (world.row(user).failed_logins, world.row(user).locked_until) == (n, None)
    assert "locked_until" in await world.refused(user)
    assert world.row(user).locked_until == START + 2 * LOCK


async def test_a_log_in_resets_the_count(world: World) -> None:
    user = await world.user()
    for _ in range(3):
        for _ in range(4):
            await world.refused(user)
        await world.log_in(user)
        assert world.row(user).failed_logins == 0
    assert world.row(user).locked_until is None


async def test_a_hundred_guesses_at_once(world: World) -> None:
    user = await world.user()
    guesses = (world.log_in(user, f"guess {n}") for n in range(100))
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert {type(result) for result in results} == {dal.AuthenticationError}
    entries = [entry for entry in await world.entries(user) if entry.action == "user.authenticate"]
    assert len(entries) == 100
    counted = [e.changes["failed_logins"]["to"] for e in entries if "failed_logins" in e.changes]
    assert sorted(counted) == [1, 2, 3, 4, 5]
    reasons = [entry.changes["reason"]["to"] for entry in entries]
    assert (reasons.count("wrong_password"), reasons.count("locked")) == (5, 95)
    assert (world.row(user).failed_logins, world.row(user).locked_until) == (5, START + LOCK)
    assert (await world.refused(user, PASSWORD))["reason"]["to"] == "locked"


async def test_guesses_at_once_after_a_lock_has_ended(world: World) -> None:
    user = await world.user()
    for _ in range(5):
        await world.refused(user)
    world.clock.move(LOCK)
    guesses = (world.log_in(user, f"guess {n}") for n in range(20))
    await asyncio.gather(*guesses, return_exceptions=True)
    assert (world.row(user).failed_logins, world.row(user).locked_until) == (5, START + 2 * LOCK)


@pytest.mark.parametrize(("failures", "lock_s"), [(1, 1), (2, 60), (7, 31_536_000)])
@pytest.mark.parametrize("by_url", [False, True])
async def test_both_are_settings(
    config: Config, root: Root, failures: int, lock_s: int, by_url: bool
) -> None:
    settings: dict[str, Any] = {"login_max_failures": failures, "login_lock_s": lock_s}
    clock = dal.ManualClock(START)
    costs = {**CHEAP_HASHES, **settings}
    if by_url:
        assert config.unix_socket is not None
        query = "&".join(f"{name}={value}" for name, value in costs.items())
        url = (
            f"mysql://{config.user}:{quote(config.password.reveal(), safe='')}@localhost/"
            f"{config.database}?unix_socket={quote(config.unix_socket)}&{query}"
        )
        connected = dal.connect(url, clock=clock)
    else:
        connected = dal.connect(clock=clock, **options(config), **costs)
    async with connected as db:
        world = World(db, config, clock, Recorder(), root)
        user = await world.user()
        for n in range(1, failures + 1):
            assert world.row(user).locked_until is None
            assert (await world.refused(user))["failed_logins"]["to"] == n
        until = START + timedelta(seconds=lock_s)
        assert world.row(user).locked_until == until
        clock.move(until - START - TICK)
        assert (await world.refused(user, PASSWORD))["reason"]["to"] == "locked"
        clock.move(TICK)
        await world.log_in(user)


async def test_unlock(world: World) -> None:
    admin, user = await world.admin(), await world.user()
    for session in (world.system, admin):
        for _ in range(5):
            await world.refused(user)
        before = world.row(user)
        unlocked = await session.users.access.unlock(user.id)
        after = world.row(user)
        assert unlocked.locked_until is None
        assert unlocked == await world.system.users.get(user.id)
        assert after.updated_at > before.updated_at
        assert after == attrs.evolve(
            before, failed_logins=0, locked_until=None, updated_at=after.updated_at
        )
        entry = await world.newest(user)
        assert (entry.action, entry.outcome) == ("user.unlock", dal.Outcome.SUCCESS)
        assert entry.changes == {"locked_until": {"from": (START + LOCK).isoformat(), "to": None}}
        assert await world.log_in(user)


async def test_unlock_forgets_failures_too(world: World) -> None:
    user = await world.user()
    for _ in range(4):
        await world.refused(user)
    await world.system.users.access.unlock(user.id)
    assert world.row(user).failed_logins == 0
    assert (await world.refused(user))["failed_logins"]["to"] == 1


async def test_who_may_not_unlock(world: World) -> None:
    user, other = await world.user(), await world.user()
    for _ in range(5):
        await world.refused(user)
    before = world.row(user)
    for session in (world.acting(user), world.acting(other), world.nobody):
        with pytest.raises(dal.PermissionDeniedError):
            await session.users.access.unlock(user.id)
        entry = await world.newest(user)
        assert (entry.action, entry.outcome) == ("user.unlock", dal.Outcome.DENIED)
    assert world.row(user) == before
    await world.system.users.soft_delete(user.id)
    for absent in (user.id, uuid4()):
        with pytest.raises(dal.NotFoundError):
            await world.system.users.access.unlock(absent)


# --------------------------------------------------------------------- transactions


async def test_not_in_a_transaction(world: World) -> None:
    user = await world.user()
    before, n_entries = world.row(user), len(await world.entries(user))
    me = world.acting(user)
    for email, password in ((user.email, PASSWORD), (user.email, WRONG), ("x@y.example", WRONG)):
        async with me.begin() as tx:
            world.recorder.clear()
            # By the session of the transaction, by one of its savepoint, and by the outer ones.
            async with tx.begin() as part:
                for session in (tx, part, me, world.nobody, world.system):
                    with pytest.raises(dal.UsageError):
                        await session.users.authenticate(email=email, password=password)
                for session in (tx, part, me):
                    with pytest.raises(dal.UsageError):
                        await session.users.passwords.update(
                            user.id, new_password=NEW, current_password=password
                        )
            assert {name.split("/")[0] for name in world.recorder.names} <= {"transaction"}
            assert await tx.users.get(user.id) == user
    assert world.row(user) == before
    assert len(await world.entries(user)) == n_entries
    # Another task has no transaction open.
    async with me.begin():
        assert await asyncio.create_task(world.log_in(user))


# ------------------------------------------------------- what happens while it is compared

NEW: Final = "another horse"


async def change_password(users: dal.UserRepository, user: dal.User) -> object:
    return await users.passwords.update(user.id, new_password=NEW)


async def deactivate(users: dal.UserRepository, user: dal.User) -> object:
    return await users.access.deactivate(user.id)


async def delete(users: dal.UserRepository, user: dal.User) -> object:
    await users.soft_delete(user.id)
    return None


async def lock(users: dal.UserRepository, user: dal.User) -> object:
    for _ in range(5):
        with pytest.raises(dal.AuthenticationError):
            await users.authenticate(email=user.email, password="a guess")
    return None


async def move_away(users: dal.UserRepository, user: dal.User) -> object:
    """The address is given up, and taken by somebody else."""
    await users.update_details(user.id, email=f"{uuid4()}@logins.example")
    return await users.create(email=user.email, full_name="Bob", password=NEW)


async def log_in(users: dal.UserRepository, user: dal.User) -> object:
    return await users.authenticate(email=user.email, password=PASSWORD)


Change = Callable[[dal.UserRepository, dal.User], Awaitable[object]]


def meanwhile(world: World, user: dal.User, change: Change, **more: Any) -> Any:
    """``change``, as the system, on a connection of another loop."""

    async def work() -> object:
        given = {**options(world.config), **CHEAP_HASHES, **more}
        async with dal.connect(clock=world.clock, **given) as other:
            return await change(other.acting_as(dal.Actor.system("meanwhile")).users, user)

    return work


@pytest.mark.parametrize(
    ("change", "reason", "failed_logins"),
    [
        # It is compared anew, and is a wrong one by then.
        (change_password, "wrong_password", 1),
        (deactivate, "inactive", 0),
        (lock, "locked", 5),
    ],
)
async def test_a_change_while_the_password_is_compared(
    config: Config, root: Root, change: Change, reason: str, failed_logins: int
) -> None:
    hook = Meanwhile("users/find_account")
    async with opened(config, root, hook=hook) as world:
        user = await world.user()
        hook.work = meanwhile(world, user, change)
        changes = await world.refused(user, PASSWORD)
        assert hook.n_done == 1
        assert changes["reason"]["to"] == reason
        entry = await world.newest(user)
        assert (entry.action, entry.outcome) == ("user.authenticate", dal.Outcome.FAILURE)
        assert ("failed_logins" in changes) == (change is change_password)
        row = world.row(user)
        assert row.failed_logins == failed_logins
        assert row.last_login_at is None
        if change is change_password:
            assert await world.log_in(user, NEW)


async def test_a_deletion_while_the_password_is_compared(config: Config, root: Root) -> None:
    hook = Meanwhile("users/find_account")
    async with opened(config, root, hook=hook) as world:
        user = await world.user()
        hook.work = meanwhile(world, user, delete)
        about_nobody = "SELECT COUNT(*) FROM audit_logs WHERE target_id IS NULL AND changes = %s"
        unknown = '{"reason":{"from":null,"to":"unknown"}}'
        ((n_before,),) = root(about_nobody, unknown)
        with pytest.raises(dal.AuthenticationError):
            await world.log_in(user)
        assert hook.n_done == 1
        ((n_after,),) = root(about_nobody, unknown)
        assert n_after == n_before + 1
        assert world.row(user).last_login_at is None


@pytest.mark.parametrize(
    ("change", "reason", "n_counted"),
    [(deactivate, "wrong_password", 1), (lock, "locked", 5), (delete, "wrong_password", 0)],
)
async def test_a_wrong_password_while_the_account_changes(
    config: Config, root: Root, change: Change, reason: str, n_counted: int
) -> None:
    hook = Meanwhile("users/find_account")
    async with opened(config, root, hook=hook) as world:
        user = await world.user()
        hook.work = meanwhile(world, user, change)
        changes = await world.refused(user, WRONG)
        assert hook.n_done == 1
        if change is delete:
            # Nobody is counted who is not there.
            assert "failed_logins" not in changes
        else:
            assert changes["reason"]["to"] == reason
        assert world.row(user).failed_logins == n_counted


async def test_an_address_that_changes_hands_while_the_password_is_compared(
    config: Config, root: Root
) -> None:
    hook = Meanwhile("users/find_account")
    async with opened(config, root, hook=hook) as world:
        user = await world.user()
        hook.work = meanwhile(world, user, move_away)
        # By then it is the address of somebody else, whose password it is not.
        with pytest.raises(dal.AuthenticationError):
            await world.log_in(user)
        assert hook.n_done == 1
        assert world.row(user).last_login_at is None


async def test_a_rename_while_the_password_is_compared(config: Config, root: Root) -> None:
    hook = Meanwhile("users/find_account")
    async with opened(config, root, hook=hook) as world:
        user = await world.user()

        async def rename(users: dal.UserRepository, of: dal.User) -> object:
            return await users.update_details(of.id, full_name="Renamed")

        hook.work = meanwhile(world, user, rename)
        found = await world.log_in(user)
        assert hook.n_done == 1
        assert found == await world.system.users.get(user.id)
        assert found.full_name == "Renamed"


# ---------------------------------------------------------------------------- rehash


async def test_a_log_in_makes_a_hash_of_the_present_costs(config: Config, root: Root) -> None:
    async with opened(config, root) as world:
        user = await world.user()
        old = world.row(user)
        assert old.password_hash is not None
        await world.log_in(user)
        # The same costs: the same hash.
        assert world.row(user) == attrs.evolve(old, last_login_at=START)
    later = dal.ManualClock(START + timedelta(days=1))
    for costs in (OTHER_COSTS, {**CHEAP_HASHES, "argon2_memory_kib": 16}, CHEAP_HASHES):
        async with opened(config, root, clock=later, **costs) as world:
            before = world.row(user)
            await world.refused(user)
            assert world.row(user) == attrs.evolve(before, failed_logins=1)
            world.recorder.clear()
            found = await world.log_in(user)
            assert len(world.recorder.names) == 5
            after = world.row(user)
            assert after.password_hash not in (None, before.password_hash)
            assert after.password_hash is not None
            stored = extract_parameters(after.password_hash)
            assert {
                "argon2_time_cost": stored.time_cost,
                "argon2_memory_kib": stored.memory_cost,
                "argon2_parallelism": stored.parallelism,
            } == costs
            assert after.credentials_changed_at == before.credentials_changed_at == old.updated_at
            assert after.updated_at == old.updated_at
            assert found.last_login_at == after.last_login_at == later.now()
            await world.log_in(user)
            assert world.row(user) == after
            with pytest.raises(dal.AuthenticationError):
                await world.log_in(user, WRONG)
            await world.log_in(user)


@pytest.mark.parametrize("costs", [CHEAP_HASHES, OTHER_COSTS])
async def test_two_log_ins_at_once(config: Config, root: Root, costs: dict[str, Any]) -> None:
    """The right password is let in, though the other one has made the hash anew meanwhile."""
    hook = Meanwhile("users/find_account")
    async with opened(config, root, hook=hook, **costs) as world:
        async with opened(config, root) as cheap:
            user = await cheap.user()
        hook.work = meanwhile(world, user, log_in, **costs)
        assert (await world.log_in(user)).id == user.id
        assert hook.n_done == 1
        assert world.row(user).failed_logins == 0


async def test_many_log_ins_at_once(config: Config, root: Root) -> None:
    async with opened(config, root) as world:
        user = await world.user()
    async with opened(config, root, **OTHER_COSTS) as world:
        found = await asyncio.gather(*(world.log_in(user) for _ in range(20)))
        assert {one.id for one in found} == {user.id}
        assert world.row(user).failed_logins == 0


async def test_a_log_in_that_makes_the_hash_anew_while_the_password_changes(
    config: Config, root: Root
) -> None:
    """The old password must not come back."""
    hook = Meanwhile("users/find_account")
    async with opened(config, root, hook=hook, **OTHER_COSTS) as world:
        async with opened(config, root) as cheap:
            user = await cheap.user()
        hook.work = meanwhile(world, user, change_password)
        await world.refused(user, PASSWORD)
        assert hook.n_done == 1
        await world.refused(user, PASSWORD)
        assert await world.log_in(user, NEW)


async def test_one_s_own_password_while_a_log_in_makes_the_hash_anew(
    config: Config, root: Root
) -> None:
    hook = Meanwhile("users/find_account_by_id")
    async with opened(config, root, hook=hook, **OTHER_COSTS) as world:
        async with opened(config, root) as cheap:
            user = await cheap.user()
        hook.work = meanwhile(world, user, log_in, **OTHER_COSTS)
        await world.acting(user).users.passwords.update(
            user.id, new_password=NEW, current_password=PASSWORD
        )
        assert hook.n_done == 1
        assert await world.log_in(user, NEW)


async def test_the_loop_turns_while_it_is_compared(config: Config, root: Root) -> None:
    """Hashing, comparing, and comparing for who is not there: off the event loop."""
    turns = 0
    seen: dict[str, int] = {}

    def hook(name: str) -> None:
        seen[name] = turns

    costs: dict[str, Any] = {
        "argon2_time_cost": 2,
        "argon2_memory_kib": 32_768,
        "argon2_parallelism": 1,
    }
    async with opened(config, root, hook=hook, **costs) as world:
        ended = asyncio.Event()

        async def turn() -> None:
            nonlocal turns
            while not ended.is_set():
                turns += 1
                await asyncio.sleep(0)

        turning = asyncio.create_task(turn())
        try:
            user = await world.user()
            assert seen["users/insert"] > 50
            for email, password in (
                (user.email, PASSWORD),
                (user.email, WRONG),
                (f"{uuid4()}@nobody.example", WRONG),
            ):
                try:
                    await world.nobody.users.authenticate(email=email, password=password)
                except dal.AuthenticationError:
                    assert password == WRONG
                # Between the two there is the comparison, and else two or three turns.
                assert seen["transaction/start"] - seen["users/find_account"] > 50
        finally:
            ended.set()
            await turning


# -------------------------------------------------------------------------- passwords


async def test_one_changes_one_s_own_password(world: World) -> None:
    user = await world.user()
    await world.log_in(user)
    token = await world.system.users.tokens.issue_password_reset(user.email)
    assert token is not None
    before = world.row(user)
    me = world.acting(user)
    changed = await me.users.passwords.update(user.id, new_password=NEW, current_password=PASSWORD)
    after = world.row(user)
    assert changed == await me.users.get(user.id)
    assert after.password_hash not in (None, before.password_hash)
    assert after.credentials_changed_at == after.updated_at == changed.updated_at
    # The clock stands still, and yet whatever was issued before is older.
    assert before.last_login_at is not None
    assert after.credentials_changed_at > before.last_login_at
    assert after.credentials_changed_at > before.credentials_changed_at
    assert not await me.users.tokens.is_password_reset_valid(token.token)
    await world.refused(user, PASSWORD)
    again = await world.log_in(user, NEW)
    assert again.last_login_at is not None
    assert again.last_login_at >= after.credentials_changed_at
    actions = [(e.action, e.outcome, e.changes) for e in await world.entries(user)]
    assert ("user.update_password", dal.Outcome.SUCCESS, {}) in actions


async def test_the_statements_of_a_password(world: World) -> None:
    user = await world.user()
    me = world.acting(user)
    world.recorder.clear()
    await me.users.passwords.update(user.id, new_password=NEW, current_password=PASSWORD)
    assert world.recorder.names == [
        "users/find_account_by_id",
        "transaction/start",
        "users/lock_by_id",
        "users/update_password",
        "user_tokens/delete_by_purpose",
        "audit_logs/insert",
        "transaction/commit",
    ]


async def test_a_wrong_current_password_counts_and_locks(world: World) -> None:
    user = await world.user()
    me = world.acting(user)
    before = world.row(user)
    answers = set()
    for n in range(1, 6):
        with pytest.raises(dal.AuthenticationError) as caught:
            await me.users.passwords.update(user.id, new_password=NEW, current_password=WRONG)
        answers.add(str(caught.value))
        entry = await world.newest(user)
        assert (entry.action, entry.outcome) == ("user.update_password", dal.Outcome.FAILURE)
        assert entry.changes["reason"]["to"] == "wrong_password"
        assert entry.changes["failed_logins"] == {"from": n - 1, "to": n}
    with pytest.raises(dal.AuthenticationError) as caught:
        await me.users.passwords.update(user.id, new_password=NEW, current_password=PASSWORD)
    answers.add(str(caught.value))
    assert (await world.newest(user)).changes == {"reason": {"from": None, "to": "locked"}}
    assert len(answers) == 1
    assert (await world.refused(user, PASSWORD))["reason"]["to"] == "locked"
    assert world.row(user) == attrs.evolve(before, failed_logins=5, locked_until=START + LOCK)
    # Guesses of both kinds are counted as one.
    world.clock.move(LOCK)
    await world.refused(user)
    with pytest.raises(dal.AuthenticationError):
        await me.users.passwords.update(user.id, new_password=NEW, current_password=WRONG)
    assert world.row(user).failed_logins == 2
    await me.users.passwords.update(user.id, new_password=NEW, current_password=PASSWORD)
    assert world.row(user).failed_logins == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [(change_password, "wrong_password"), (deactivate, "inactive"), (lock, "locked")],
)
async def test_a_change_while_the_current_password_is_compared(
    config: Config, root: Root, change: Change, reason: str
) -> None:
    hook = Meanwhile("users/find_account_by_id")
    async with opened(config, root, hook=hook) as world:
        user = await world.user()
        hook.work = meanwhile(world, user, change)
        with pytest.raises(dal.AuthenticationError):
            await world.acting(user).users.passwords.update(
                user.id, new_password="a third horse", current_password=PASSWORD
            )
        assert hook.n_done == 1
        entry = await world.newest(user)
        assert (entry.action, entry.outcome) == ("user.update_password", dal.Outcome.FAILURE)
        assert entry.changes["reason"]["to"] == reason
        if change is change_password:
            assert await world.log_in(user, NEW)


async def test_a_deletion_while_the_current_password_is_compared(
    config: Config, root: Root
) -> None:
    hook = Meanwhile("users/find_account_by_id")
    async with opened(config, root, hook=hook) as world:
        user = await world.user()
        before = world.row(user)
        hook.work = meanwhile(world, user, delete)
        with pytest.raises(dal.NotFoundError):
            await world.acting(user).users.passwords.update(
                user.id, new_password=NEW, current_password=PASSWORD
            )
        assert world.row(user).password_hash == before.password_hash


async def test_admins_and_the_system_set_passwords(world: World) -> None:
    admin, user = await world.admin(), await world.user()
    for n, session in enumerate((world.system, admin)):
        for _ in range(5):
            await world.refused(user, "a guess")
        token = await world.system.users.tokens.issue_password_reset(user.email)
        assert token is not None
        async with session.begin() as tx:
            changed = await tx.users.passwords.update(user.id, new_password=f"new horse {n}")
            assert changed.locked_until is None
        # It ends the lock, and revokes the token.
        assert not await session.users.tokens.is_password_reset_valid(token.token)
        assert await world.system.users.get(user.id) == changed
        await world.refused(user, PASSWORD)
        await world.log_in(user, f"new horse {n}")
    before = world.row(user)
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with world.system.begin() as tx:
            await tx.users.passwords.update(user.id, new_password=NEW)
            raise RuntimeError
    assert world.row(user) == before


async def test_an_admin_gives_the_current_one_for_their_own(world: World) -> None:
    admin = await world.admin()
    assert admin.actor.id is not None
    with pytest.raises(dal.ValueRejectedError) as caught:
        await admin.users.passwords.update(admin.actor.id, new_password=NEW)
    assert caught.value.field == "current_password"
    async with admin.begin() as tx:
        with pytest.raises(dal.UsageError):
            await tx.users.passwords.update(
                admin.actor.id, new_password=NEW, current_password=PASSWORD
            )
    await admin.users.passwords.update(admin.actor.id, new_password=NEW, current_password=PASSWORD)


async def test_who_may_not_set_a_password(world: World) -> None:
    user, other = await world.user(), await world.user()
    before = world.row(user)
    for session in (world.acting(other), world.nobody):
        for current in (None, PASSWORD):
            with pytest.raises(dal.NotFoundError):
                await session.users.passwords.update(
                    user.id, new_password=NEW, current_password=current
                )
    # An admin by word alone.
    liar = world.db.acting_as(dal.Actor.user(other.id, role="admin"))
    with pytest.raises(dal.PermissionDeniedError):
        await liar.users.passwords.update(user.id, new_password=NEW)
    assert world.row(user) == before
    await world.system.users.soft_delete(user.id)
    for session in (world.system, world.acting(user)):
        with pytest.raises(dal.NotFoundError):
            await session.users.passwords.update(
                user.id, new_password=NEW, current_password=PASSWORD
            )


async def test_without_a_password_nothing_is_the_current_one(world: World) -> None:
    user = await world.user(None)
    for guess in ("", PASSWORD):
        with pytest.raises(dal.AuthenticationError):
            await world.acting(user).users.passwords.update(
                user.id, new_password=NEW, current_password=guess
            )
        await world.refused(user, guess)
    assert world.row(user).password_hash is None
    await world.system.users.passwords.update(user.id, new_password=NEW)
    assert await world.log_in(user, NEW)


async def test_one_password_however_it_is_typed(world: World) -> None:
    user = await world.user("cr\u00e9me br\u00fbl\u00e9e")
    assert await world.log_in(user, "cre\u0301me bru\u0302le\u0301e")
    for wrong in ("Cr\u00e9me br\u00fbl\u00e9e", "cr\u00e9me br\u00fbl\u00e9e ", "creme brulee"):
        await world.refused(user, wrong)
    await world.acting(user).users.passwords.update(
        user.id,
        new_password="\u1112\u1161\u11ab" * 8,
        current_password="cre\u0301me bru\u0302le\u0301e",
    )
    assert await world.log_in(user, "\ud55c" * 8)


LIMITS: Final = [
    ("x" * 7, False),
    ("x" * 8, True),
    # Eleven characters as they are typed, seven as they are stored.
    ("e\u0301" * 4 + "xxx", False),
    ("\U0001f600" * 8, True),
    ("x" * 1024, True),
    ("x" * 1025, False),
    ("e\u0301" * 1024, True),
    ("", False),
    ("lone \ud800 surrogate", False),
    (b"a password", False),
    (12345678, False),
]


@pytest.mark.parametrize(("password", "is_good"), LIMITS)
async def test_the_limits_of_a_password(world: World, password: Any, is_good: bool) -> None:
    email = f"{uuid4()}@logins.example"
    user = await world.user()
    before = world.row(user)
    token = await world.system.users.tokens.issue_password_reset(user.email)
    assert token is not None
    users, own = world.system.users, world.acting(user).users
    if is_good:
        made = await users.create(email=email, full_name="A", password=password)
        assert await world.log_in(made, password)
        await own.passwords.update(user.id, new_password=password, current_password=PASSWORD)
        assert await world.log_in(user, password)
        return
    world.recorder.clear()
    with pytest.raises(dal.ValueRejectedError) as caught:
        await users.create(email=email, full_name="A", password=password)
    assert caught.value.field == "password"
    for session in (users, own):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await session.passwords.update(
                user.id, new_password=password, current_password=PASSWORD
            )
        assert caught.value.field == "new_password"
    with pytest.raises(dal.ValueRejectedError) as caught:
        await users.tokens.reset_password(token.token, new_password=password)
    assert caught.value.field == "new_password"
    assert world.recorder.names == []
    assert world.row(user) == before
    assert await users.find_by_email(email) is None
    assert await users.tokens.is_password_reset_valid(token.token)


@pytest.mark.parametrize(
    ("password", "is_compared"),
    [
        ("", True),
        ("x", True),
        ("x" * 1024, True),
        ("x" * 1025, False),
        ("\ud800", False),
        (b"correct horse", False),
        (None, False),
    ],
)
async def test_what_is_compared(world: World, password: Any, is_compared: bool) -> None:
    user = await world.user()
    world.recorder.clear()
    if is_compared:
        changes = await world.refused(user, password)
        assert changes["reason"]["to"] == "wrong_password"
        return
    with pytest.raises(dal.ValueRejectedError) as caught:
        await world.log_in(user, password)
    assert caught.value.field == "password"
    assert world.recorder.names == []
    if password is not None:
        with pytest.raises(dal.ValueRejectedError) as caught:
            await world.acting(user).users.passwords.update(
                user.id, new_password=NEW, current_password=password
            )
        assert caught.value.field == "current_password"
    assert world.recorder.names == []
    assert world.row(user).failed_logins == 0


@pytest.mark.parametrize(
    "email", ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b..c", "\ud800@b", "x" * 251 + "@b.c",
              None, b"a@b.c"]
)  # fmt: skip
async def test_what_is_no_address(world: World, email: Any) -> None:
    for call in (
        world.nobody.users.authenticate(email=email, password=PASSWORD),
        world.system.users.create(email=email, full_name="A", password=PASSWORD),
        world.system.users.tokens.issue_password_reset(email),
    ):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await call
        assert caught.value.field == "email"
    # A method that is one transaction may have begun it.
    assert not set(world.recorder.names) - {"transaction/start", "transaction/rollback"}


async def test_an_unknown_role(world: World) -> None:
    for role in ("root", "ADMIN", "", None, 1):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await world.system.users.create(
                email=f"{uuid4()}@logins.example", full_name="A", password=PASSWORD,
                role=role,  # type: ignore[arg-type]
            )  # fmt: skip
        assert caught.value.field == "role"
    assert world.recorder.names == []


async def test_the_shortest_password_is_a_setting(config: Config, root: Root) -> None:
    async with opened(config, root, password_min_chars=12) as world:
        with pytest.raises(dal.ValueRejectedError):
            await world.user("x" * 11)
        assert await world.log_in(await world.user("x" * 12), "x" * 12)
    # One that was set before the policy still lets in.
    async with opened(config, root, password_min_chars=1) as world:
        user = await world.user("x")
    async with opened(config, root, password_min_chars=64) as world:
        assert await world.log_in(user, "x")


# ------------------------------------------------------- what was issued for old credentials


async def test_when_credentials_changed(world: World) -> None:
    user = await world.user()
    users = world.system.users
    last = START
    assert await users.access.find_credentials_changed_at(user.id) == START
    changes: list[Callable[[], Awaitable[dal.User]]] = [
        lambda: users.passwords.update(user.id, new_password=NEW),
        lambda: users.access.change_role(user.id, "viewer"),
        lambda: users.access.deactivate(user.id),
        lambda: users.access.activate(user.id),
    ]
    for change in changes:
        changed = await change()
        world.recorder.clear()
        found = await users.access.find_credentials_changed_at(user.id)
        assert world.recorder.names == ["users/find_credentials_changed_at"]
        assert changed.credentials_changed_at > last
        assert found == (changed.credentials_changed_at if changed.is_active else None)
        last = changed.credentials_changed_at
    # What is no change of them leaves it.
    await users.update_details(user.id, full_name="Other")
    await users.preferences.update(user.id, {"theme": "dark"})
    await users.access.unlock(user.id)
    await world.log_in(user, NEW)
    await world.refused(user, WRONG)
    assert await users.access.find_credentials_changed_at(user.id) == last
    await users.soft_delete(user.id)
    for absent in (user.id, uuid4()):
        assert await users.access.find_credentials_changed_at(absent) is None
    await users.restore(user.id)
    assert await users.access.find_credentials_changed_at(user.id) == last


async def test_who_asks_when_credentials_changed(world: World) -> None:
    user = await world.user()
    for session in (world.acting(user), await world.admin(), world.nobody):
        with pytest.raises(dal.PermissionDeniedError):
            await session.users.access.find_credentials_changed_at(user.id)
    with pytest.raises(dal.ValueRejectedError) as caught:
        await world.system.users.access.find_credentials_changed_at("x")  # type: ignore[arg-type]
    assert caught.value.field == "user_id"


async def test_a_log_in_after_a_change_is_not_before_it(world: World) -> None:
    """The clock stands still, or goes back: nobody is thrown out who logged in after."""
    user = await world.user()
    for n in range(3):
        await world.system.users.passwords.update(user.id, new_password=f"horse number {n}")
        found = await world.log_in(user, f"horse number {n}")
        changed_at = await world.system.users.access.find_credentials_changed_at(user.id)
        assert changed_at is not None
        assert found.last_login_at is not None
        assert found.last_login_at >= changed_at
        assert found == await world.system.users.get(user.id)
        world.clock.move(-timedelta(hours=1))


# ------------------------------------------------------------------- the time tells nothing


@pytest.mark.parametrize("closed", [lock, deactivate])
async def test_a_right_guess_at_a_closed_account_is_no_more_work(
    config: Config, root: Root, monkeypatch: pytest.MonkeyPatch, closed: Change
) -> None:
    """Neither the hash of other costs nor that of the new password is made."""
    async with opened(config, root) as world:
        user = await world.user()
    work: list[str] = []
    for name in ("hash", "verify"):
        real = getattr(PasswordHasher, name)

        def counted(*args: Any, real: Any = real, name: str = name) -> Any:
            work.append(name)
            return real(*args)

        monkeypatch.setattr(PasswordHasher, name, counted)
    async with opened(config, root, **OTHER_COSTS) as world:
        await closed(world.system.users, user)
        me = world.acting(user)
        for password in (PASSWORD, WRONG):
            work.clear()
            await world.refused(user, password)
            assert work == ["verify"]
            work.clear()
            with pytest.raises(dal.AuthenticationError):
                await me.users.passwords.update(
                    user.id, new_password=NEW, current_password=password
                )
            assert work == ["verify"]


async def test_a_deadline_is_one_of_hashing_too(world: World) -> None:
    user = await world.user()
    late = world.nobody.within(1e-9)
    with pytest.raises(dal.StatementTimeoutError):
        await late.users.authenticate(email=user.email, password=PASSWORD)
    with pytest.raises(dal.StatementTimeoutError):
        await late.users.create(email="late@x.example", full_name="L", password=PASSWORD)
    assert await world.system.users.find_by_email("late@x.example") is None
