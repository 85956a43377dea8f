"""Crowds at one account: guesses, the last admin, preferences, tokens, addresses.

The dice are thrown by DAL_STRESS_SEED, which is printed when a test fails; in CI it is 0.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import closing
from datetime import timedelta
from itertools import count
from operator import attrgetter
from typing import Any, Final, TypeVar
from uuid import UUID

import attrs
import pytest
from hypothesis import settings

import dal
from dal.config import Config
from dal.provision import connect, prepare_temporary
from dal.server import PrivateServer
from tests.conftest import CHEAP_HASHES, Recorder, options

T = TypeVar("T")

PASSWORD: Final = "right and long"
LOCK: Final = timedelta(seconds=1_800)
SECOND: Final = timedelta(seconds=1)

_numbers = count(1)


@attrs.define
class Crowd:
    """A database of this module's own, with a pool that many wait for."""

    db: dal.Database
    clock: dal.ManualClock
    recorder: Recorder
    ask: Callable[..., list[tuple[Any, ...]]]

    @property
    def system(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.system("crowd"))

    @property
    def anybody(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.anonymous())

    def as_user(self, user_id: UUID, role: str = "user") -> dal.Session:
        return self.db.acting_as(dal.Actor.user(user_id, role=role))

    async def user(self, password: str | None = PASSWORD, role: str = "user") -> dal.User:
        return await self.system.users.create(
            email=f"crowd{next(_numbers)}@example.org",
            full_name="One of many",
            password=password,
            role=role,
        )

    async def entries(self, user_id: UUID) -> list[dal.AuditEntry]:
        """What happened to a user, oldest first.

        Each entry is made under the lock of the row it is about, so this is the order of changes.
        """
        rows: list[dal.AuditEntry] = []
        after = None
        while True:
            page = await self.system.audit.list_of_target("user", user_id, limit=500, after=after)
            rows += page.rows
            after = page.next
            if after is None:
                return rows[::-1]

    async def lets_in(self, user: dal.User, password: str) -> bool:
        try:
            await self.anybody.users.authenticate(email=user.email, password=password)
        except dal.AuthenticationError:
            return False
        return True


@pytest.fixture(scope="module")
async def crowd(server: PrivateServer, clock: dal.ManualClock) -> AsyncIterator[Crowd]:
    accounts = await asyncio.to_thread(prepare_temporary, server, "crowds")
    own = accounts.config("dal_application", database="crowds", pool_max=16)
    admin = dal.config.parse(server.admin_url("crowds"))
    assert isinstance(admin, Config)
    recorder = Recorder()
    given: dict[str, Any] = {**options(own), **CHEAP_HASHES, "acquire_timeout_s": 60.0}
    with closing(connect(admin)) as connection:

        def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                found = list(cursor.fetchall())
            connection.commit()
            return found

        async with dal.connect(clock=clock, on_statement=recorder, **given) as db:
            yield Crowd(db, clock, recorder, ask)


@pytest.fixture
def dice() -> random.Random:
    by_chance = random.SystemRandom().getrandbits(32)
    seed = os.environ.get("DAL_STRESS_SEED", 0 if profile() == "ci" else by_chance)
    print(f"DAL_STRESS_SEED={seed}")  # noqa: T201  shown when the test fails
    return random.Random(int(seed))


def profile() -> str:
    return settings.get_current_profile_name()


def rounds(dev: int) -> range:
    """How often a race is run: in CI twice as often as by hand, at night more."""
    return range(dev * {"ci": 2, "nightly": 50}.get(profile(), 1))


_ACTIVATE, _DEACTIVATE, _UNLOCK = "access.activate", "access.deactivate", "access.unlock"


async def all_of(*work: Awaitable[T]) -> list[T | BaseException]:
    return await asyncio.gather(*work, return_exceptions=True)


def kinds(results: list[T | BaseException]) -> Counter[str]:
    return Counter(type(r).__name__ if isinstance(r, BaseException) else "done" for r in results)


def reason(entry: dal.AuditEntry) -> str:
    return str(entry.changes["reason"]["to"])


# --------------------------------------------------------------------- guesses


async def test_a_hundred_wrong_guesses_are_five(crowd: Crowd) -> None:
    user = await crowd.user()
    guess = crowd.anybody.users.authenticate
    results = await all_of(*(guess(email=user.email, password=f"wrong {i}") for i in range(100)))
    assert kinds(results) == {"AuthenticationError": 100}
    created, *guesses = await crowd.entries(user.id)
    assert Counter(map(reason, guesses)) == {"wrong_password": 5, "locked": 95}
    counted = [e.changes["failed_logins"] for e in guesses if "failed_logins" in e.changes]
    assert counted == [{"from": n, "to": n + 1} for n in range(5)]
    until = created.occurred_at + LOCK
    assert (await crowd.system.users.get(user.id)).locked_until == until
    assert crowd.ask("SELECT failed_logins FROM users WHERE id = %s", user.id.bytes) == [(5,)]
    # The right password opens nothing until the very end of the lock.
    for step in (timedelta(0), LOCK - SECOND, SECOND - timedelta(microseconds=1)):
        crowd.clock.move(step)
        assert not await crowd.lets_in(user, PASSWORD)
    crowd.clock.move(timedelta(microseconds=1))
    assert await crowd.lets_in(user, PASSWORD)
    crowd.clock.move(SECOND)


def check_guesses(entries: list[dal.AuditEntry]) -> int:
    """Count again what was written in this order; how many were let in."""
    failures = n_in = 0
    for entry in entries:
        if entry.outcome is dal.Outcome.SUCCESS:
            assert failures < 5, "let in after five failures"
            failures, n_in = 0, n_in + 1
        elif "failed_logins" in entry.changes:
            assert entry.changes["failed_logins"] == {"from": failures, "to": failures + 1}
            failures += 1
            assert failures <= 5
            assert ("locked_until" in entry.changes) == (failures == 5)
        else:
            assert reason(entry) == "locked"
            assert failures == 5, "refused as locked before five failures"
    return n_in


async def test_one_right_among_a_hundred_guesses(crowd: Crowd, dice: random.Random) -> None:
    n_in = 0
    for _ in rounds(4):
        user = await crowd.user()
        passwords = [f"wrong {i}" for i in range(99)]
        passwords.insert(dice.randrange(16), PASSWORD)
        guess = crowd.anybody.users.authenticate
        results = await all_of(*(guess(email=user.email, password=p) for p in passwords))
        told = kinds(results)
        assert told["done"] <= 1
        assert told["done"] + told["AuthenticationError"] == 100
        _, *guesses = await crowd.entries(user.id)
        assert len(guesses) == 100
        assert check_guesses(guesses) == told["done"]
        n_in += told["done"]
        fresh = await crowd.system.users.get(user.id)
        assert (fresh.last_login_at is not None) == bool(told["done"])
        assert fresh.locked_until == crowd.clock.now() + LOCK


async def test_an_unlock_among_guesses_counts_from_the_start(crowd: Crowd) -> None:
    """Each time somebody unlocks, five more may be wrong, and not one more."""
    for _ in rounds(2):
        user = await crowd.user()
        guess = crowd.anybody.users.authenticate
        work: list[Coroutine[Any, Any, dal.User]] = [
            guess(email=user.email, password=f"wrong {i}") for i in range(60)
        ]
        for at in (30, 10):
            work.insert(at, crowd.system.users.access.unlock(user.id))
        told = kinds(await all_of(*work))
        assert told == {"AuthenticationError": 60, "done": 2}
        _, *entries = await crowd.entries(user.id)
        failures = 0
        for entry in entries:
            if entry.action == "user.unlock":
                failures = 0
            elif "failed_logins" in entry.changes:
                assert entry.changes["failed_logins"] == {"from": failures, "to": failures + 1}
                assert reason(entry) == "wrong_password"
                failures += 1
                assert failures <= 5
            else:
                assert reason(entry) == "locked"
        stored = crowd.ask("SELECT failed_logins FROM users WHERE id = %s", user.id.bytes)
        assert stored == [(failures,)]


async def test_fifty_log_in_at_once(crowd: Crowd) -> None:
    user = await crowd.user()
    log_in = crowd.anybody.users.authenticate
    results = await all_of(*(log_in(email=user.email, password=PASSWORD) for _ in range(50)))
    assert kinds(results) == {"done": 50}
    fresh = await crowd.system.users.get(user.id)
    assert all(result == fresh for result in results)
    assert len(await crowd.entries(user.id)) == 51


async def test_fifty_log_in_at_once_whose_hash_is_made_anew(crowd: Crowd) -> None:
    """The costs were raised since: one of them writes the new hash, and all are let in."""
    given: dict[str, Any] = {**options(crowd.db.config), "argon2_time_cost": 2}
    user = await crowd.user()
    async with dal.connect(clock=crowd.clock, **given) as dearer:
        log_in = dearer.acting_as(dal.Actor.anonymous()).users.authenticate
        results = await all_of(*(log_in(email=user.email, password=PASSWORD) for _ in range(50)))
    assert kinds(results) == {"done": 50}
    ((stored,),) = crowd.ask("SELECT password_hash FROM users WHERE id = %s", user.id.bytes)
    assert "t=2" in str(stored)


async def test_what_a_log_in_gives_is_what_was_stored(crowd: Crowd, dice: random.Random) -> None:
    """The account is changed while the password is compared: nobody gets the role they had."""
    for _ in rounds(12):
        user = await crowd.user(role="admin")
        await crowd.user(role="admin")
        log_in = crowd.anybody.users.authenticate
        demote = crowd.system.users.access.change_role(user.id, "viewer")
        work: list[Coroutine[Any, Any, dal.User]] = [
            log_in(email=user.email, password=PASSWORD) for _ in range(6)
        ]
        work.insert(dice.randrange(7), demote)
        results = await all_of(*work)
        assert kinds(results) == {"done": 7}
        told = [result.role for result in results if isinstance(result, dal.User)]
        _, *entries = await crowd.entries(user.id)
        # In the order of the log: those who came before the demotion, and only they, are admins.
        n_before = [entry.action for entry in entries].index("user.change_role")
        assert told.count(dal.Role.ADMIN) == n_before


# ------------------------------------------------------------------ last admin


@attrs.define
class Admins:
    """Some admins, all that there are, and what they do to each other."""

    crowd: Crowd
    ids: list[UUID]
    seen: list[int] = attrs.field(factory=list)

    async def look(self) -> None:
        page = await self.crowd.system.users.list_all(role="admin", is_active=True, limit=500)
        self.seen.append(len(page.rows))

    async def act(self, actor: UUID | None, what: str, target: UUID) -> str:
        """Do it, look at once who is left, and tell how it ended."""
        crowd = self.crowd
        users = (crowd.system if actor is None else crowd.as_user(actor, "admin")).users
        ended = "done"
        try:
            if what == "demote":
                await users.access.change_role(target, "user")
            elif what == "promote":
                await users.access.change_role(target, "admin")
            elif what == "rename":
                await users.update_details(target, full_name=f"Name {next(_numbers)}")
            elif what == "prefer":
                await users.preferences.update(target, {"key": next(_numbers)})
            else:
                await attrgetter(what)(users)(target)
        except (dal.LastAdminError, dal.PermissionDeniedError, dal.NotFoundError) as error:
            ended = type(error).__name__
        await self.look()
        return ended


async def these_admins(crowd: Crowd, k: int) -> Admins:
    """``k`` live, active admins and no other."""
    old = (await crowd.system.users.list_all(role="admin", limit=500)).rows
    made = [(await crowd.user(None, role="admin")).id for _ in range(k)]
    for user in old:
        await crowd.system.users.access.change_role(user.id, "user")
    return Admins(crowd, made)


async def whole(admins: Admins, work: list[Coroutine[Any, Any, str]]) -> list[str]:
    """Run it all at once, with somebody who looks all the time; check what was seen."""
    running = asyncio.gather(*work)

    async def watch() -> None:
        while not running.done():
            await admins.look()

    results, _ = await asyncio.gather(running, watch())
    await admins.look()
    assert min(admins.seen) >= 1, "a moment without an admin"
    await check_admins(admins)
    return list(results)


async def check_admins(admins: Admins) -> None:
    """Run the log again: there always was an admin, and who acted was one at that moment."""
    state = {user_id: ["admin", True, True] for user_id in admins.ids}
    entries = [
        entry
        for user_id in admins.ids
        for entry in await admins.crowd.entries(user_id)
        if entry.outcome is dal.Outcome.SUCCESS and entry.action != "user.create"
    ]

    def is_admin(user_id: UUID) -> bool:
        return state[user_id] == ["admin", True, True]

    for entry in sorted(entries, key=lambda entry: entry.id):
        assert entry.target_id is not None
        of_self = entry.actor_id == entry.target_id
        if entry.actor_id is not None and not (of_self and entry.action in SELF):
            assert is_admin(entry.actor_id), f"{entry.action} by who is no admin any more"
        row = state[entry.target_id]
        if entry.action == "user.change_role":
            assert row[0] == entry.changes["role"]["from"]
            row[0] = entry.changes["role"]["to"]
        elif entry.action in ("user.activate", "user.deactivate"):
            row[1] = entry.action == "user.activate"
        elif entry.action in ("user.soft_delete", "user.restore"):
            row[2] = entry.action == "user.restore"
        assert any(map(is_admin, state)), f"no admin after {entry.action}"
    for user_id, row in state.items():
        fresh = await admins.crowd.system.users.trash.get_including_deleted(user_id)
        assert [fresh.role.value, fresh.is_active, fresh.deleted_at is None] == row


SELF: Final = ("user.soft_delete", "user.update_details")


async def test_two_admins_demote_each_other(crowd: Crowd) -> None:
    crowd.recorder.clear()
    for _ in rounds(6):
        admins = await these_admins(crowd, 2)
        a, b = admins.ids
        results = await whole(admins, [admins.act(a, "demote", b), admins.act(b, "demote", a)])
        # The second is no admin any more when it is its turn.
        assert sorted(results) == ["PermissionDeniedError", "done"]
        assert admins.seen[-1] == 1
    # They meet at the first of the two, so nobody waits in a circle.
    assert not [e for e in crowd.recorder.errors if isinstance(e, dal.DeadlockError)]


@pytest.mark.parametrize("k", [2, 3, 6])
async def test_all_admins_resign_at_once(crowd: Crowd, k: int, dice: random.Random) -> None:
    """Each takes themselves away; the last one is refused."""
    for _ in rounds(3):
        admins = await these_admins(crowd, k)
        work = [
            admins.act(user_id, dice.choice(["demote", _DEACTIVATE, "soft_delete"]), user_id)
            for user_id in dice.sample(admins.ids, k)
        ]
        results = await whole(admins, work)
        assert Counter(results) == {"done": k - 1, "LastAdminError": 1}
        assert admins.seen[-1] == 1


@pytest.mark.parametrize("k", [2, 3, 6])
async def test_admins_against_each_other(crowd: Crowd, k: int, dice: random.Random) -> None:
    told: Counter[str] = Counter()
    for _ in rounds(4):
        admins = await these_admins(crowd, k)
        ways = [
            "demote",
            "demote",
            _DEACTIVATE,
            "soft_delete",
            "promote",
            _ACTIVATE,
            "restore",
        ]
        work = [
            admins.act(
                dice.choice([*admins.ids, *admins.ids, None]),
                dice.choice([*ways, "rename", _UNLOCK]),
                dice.choice(admins.ids),
            )
            for _ in range(4 * k)
        ]
        told.update(await whole(admins, work))
    assert told["done"] > 0


@pytest.mark.parametrize("what", ["rename", _UNLOCK, "prefer"])
async def test_admins_change_each_other_in_a_circle(crowd: Crowd, what: str) -> None:
    """Each locks themselves, to stay an admin, and another: nobody may wait in a circle."""
    crowd.recorder.clear()
    for _ in rounds(3):
        admins = await these_admins(crowd, 6)
        ids = admins.ids
        work = [
            admins.act(ids[i], what, ids[(i + step) % 6]) for step in (1, 5, 2) for i in range(6)
        ]
        assert Counter(await whole(admins, work)) == {"done": 18}
    assert not [e for e in crowd.recorder.errors if isinstance(e, dal.DeadlockError)]


async def test_an_admin_unlocks_themselves_many_times_at_once(crowd: Crowd) -> None:
    """They need their row twice, as the admin who acts and as the user who is changed."""
    crowd.recorder.clear()
    for _ in rounds(3):
        admins = await these_admins(crowd, 2)
        work = [admins.act(admins.ids[0], _UNLOCK, admins.ids[0]) for _ in range(12)]
        assert Counter(await whole(admins, work)) == {"done": 12}
    assert not [e for e in crowd.recorder.errors if isinstance(e, dal.DeadlockError)]


@pytest.mark.parametrize(("away", "back"), [("soft_delete", "restore"), ("demote", "promote")])
async def test_admins_come_back_while_others_leave(crowd: Crowd, away: str, back: str) -> None:
    """Who comes back takes a place among the admins that they had before, and a reader may hold."""
    crowd.recorder.clear()
    for _ in rounds(3):
        admins = await these_admins(crowd, 5)
        _, *ids = admins.ids
        work = [
            admins.act(None, what, user_id)
            for user_id in (*ids, *reversed(ids))
            for what in (away, back, away)
        ]
        assert (await whole(admins, work)).count("done") >= len(ids)
    assert not [e for e in crowd.recorder.errors if isinstance(e, dal.DeadlockError)]


async def test_admins_restore_whom_others_delete(crowd: Crowd) -> None:
    """The younger ones restore the older ones, whose deletion locks from the oldest on.

    Who was in the trash when they were looked at, and is an admin again when they are locked, is
    locked out of order. That is repeated; nobody hears of it.
    """
    for _ in rounds(4):
        admins = await these_admins(crowd, 6)
        old, young = admins.ids[:3], admins.ids[3:]
        work = [
            admins.act(*step)
            for a, b in zip(old, young, strict=True)
            for step in 3 * [(None, "soft_delete", a), (b, "restore", a)]
        ]
        assert set(await whole(admins, work)) <= {"done", "NotFoundError"}


async def test_an_admin_who_is_demoted_meanwhile(crowd: Crowd, dice: random.Random) -> None:
    """What they did is done before the demotion or not at all, by the log."""
    for _ in rounds(3):
        admins = await these_admins(crowd, 3)
        boss, busy, _ = admins.ids
        others = [(await crowd.user(None)).id for _ in range(8)]
        work = [admins.act(busy, "promote", other) for other in others[:4]]
        work += [admins.act(busy, _DEACTIVATE, other) for other in others[4:]]
        work.insert(dice.randrange(9), admins.act(boss, "demote", busy))
        results = await whole(admins, work)
        assert set(results) <= {"done", "PermissionDeniedError"}
        (demoted,) = [
            e for e in await crowd.entries(busy) if e.action == "user.change_role" and e.actor_id
        ]
        n_done = 0
        for i, other in enumerate(others):
            fresh = await crowd.system.users.get(other)
            done = [
                e
                for e in await crowd.entries(other)
                if e.actor_id == busy and e.outcome is dal.Outcome.SUCCESS
            ]
            changed = fresh.role is dal.Role.ADMIN if i < 4 else not fresh.is_active
            assert changed == bool(done)
            assert all(entry.id < demoted.id for entry in done)
            n_done += len(done)
        assert results.count("done") == n_done + 1


# ----------------------------------------------------------------- preferences


async def test_fifty_keys_at_once_are_all_kept(crowd: Crowd) -> None:
    user = await crowd.user(None)
    me = crowd.as_user(user.id).users
    keys = [f"k{i}" if i % 3 else f"same.parent.k{i}" for i in range(50)]
    writers = [crowd.system.users if i % 5 == 0 else me for i in range(50)]
    results = await all_of(
        *(
            users.preferences.update(user.id, {key: i})
            for i, (users, key) in enumerate(zip(writers, keys, strict=True))
        )
    )
    assert kinds(results) == {"done": 50}
    for i, key in enumerate(keys):
        assert await me.preferences.get_value(user.id, key) == i
    document = await me.preferences.get(user.id)
    assert len(document) + len(document["same"]["parent"]) == 50 + 1
    # Each said what it saw: none was overwritten by somebody who had not seen it.
    _, *entries = await crowd.entries(user.id)
    assert [next(iter(entry.changes.values()))["from"] for entry in entries] == [None] * 50


async def test_preferences_are_changed_one_after_the_other(
    crowd: Crowd, dice: random.Random
) -> None:
    """Set, unset and reset at once, a pair of keys each: the log, run again, gives the document."""
    for _ in rounds(3):
        user = await crowd.user(None)
        me = crowd.as_user(user.id).users
        bystander = await crowd.user(None)
        kept = await crowd.system.users.preferences.update(bystander.id, {"a": {"b": 1}})

        async def write(
            i: int, me: dal.UserRepository = me, user: dal.User = user
        ) -> dict[str, Any]:
            way = dice.randrange(8)
            if way == 0:
                return await me.preferences.reset(user.id)
            if way == 1:
                return await me.preferences.unset(user.id, "pair")
            if way == 2:
                return await me.preferences.update(user.id, {f"other.k{i}": [i]})
            return await me.preferences.update(user.id, {"pair.left": i, "pair.right": i})

        running = asyncio.gather(*(write(i) for i in range(40)))

        async def read(
            running: asyncio.Future[list[dict[str, Any]]] = running,
            me: dal.UserRepository = me,
            user: dal.User = user,
        ) -> None:
            while not running.done():
                pair = (await me.preferences.get(user.id)).get("pair", {})
                assert pair.get("left") == pair.get("right"), "half a change"

        results, _ = await asyncio.gather(running, read())
        replayed: dict[str, Any] = {}
        _, *entries = await crowd.entries(user.id)
        for entry in entries:
            for key, change in entry.changes.items():
                assert replayed.get(key) == change["from"]
                replayed[key] = change["to"]
        left = {key: value for key, value in replayed.items() if value not in (None, {})}
        document = await me.preferences.get(user.id)
        assert leaves(document) == left
        assert document in results
        assert await crowd.system.users.preferences.get(bystander.id) == kept


def leaves(document: dict[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in document.items():
        found |= (
            leaves(value, f"{above}{name}.") if isinstance(value, dict) else {above + name: value}
        )
    return found


# ---------------------------------------------------------------------- tokens


async def test_a_hundred_consumers_of_one_reset(crowd: Crowd) -> None:
    user = await crowd.user()
    issued = await crowd.system.users.tokens.issue_password_reset(user.email)
    assert issued is not None
    results = await all_of(
        *(
            crowd.anybody.users.tokens.reset_password(issued.token, new_password=f"password {i}")
            for i in range(100)
        )
    )
    assert kinds(results) == {"done": 1, "AuthenticationError": 99}
    (winner,) = [i for i, result in enumerate(results) if isinstance(result, dal.User)]
    assert results[winner] == await crowd.system.users.get(user.id)
    told = Counter(
        e.outcome.value for e in await crowd.entries(user.id) if e.action == "user.reset_password"
    )
    # Who came after it was used has no holder to be told of.
    rest = crowd.ask(
        "SELECT COUNT(*) FROM audit_logs WHERE action = 'user.reset_password'"
        " AND outcome = 'failure' AND target_id IS NULL"
    )
    assert told["success"] == 1
    assert told["failure"] + rest[0][0] == 99
    assert not await crowd.lets_in(user, PASSWORD)
    assert not await crowd.lets_in(user, f"password {(winner + 1) % 100}")
    assert await crowd.lets_in(user, f"password {winner}")
    assert not await crowd.anybody.users.tokens.is_password_reset_valid(issued.token)


async def test_a_hundred_consumers_of_one_verification(crowd: Crowd) -> None:
    user = await crowd.user()
    issued = await crowd.system.users.tokens.issue_email_verification(user.id)
    results = await all_of(
        *(crowd.anybody.users.tokens.verify_email(issued.token) for _ in range(100))
    )
    assert kinds(results) == {"done": 1, "AuthenticationError": 99}
    (won,) = [result for result in results if isinstance(result, dal.User)]
    assert won == await crowd.system.users.get(user.id)
    assert won.email_verified_at == crowd.clock.now()
    done = [e.outcome for e in await crowd.entries(user.id) if e.action == "user.verify_email"]
    assert done.count(dal.Outcome.SUCCESS) == 1


async def test_a_new_token_against_the_use_of_the_old(crowd: Crowd) -> None:
    """Whichever is first: the old one is used before, or never."""
    for _ in rounds(6):
        user = await crowd.user()
        users = crowd.anybody.users
        old = await crowd.system.users.tokens.issue_password_reset(user.email)
        assert old is not None
        issuing = crowd.system.users.tokens.issue_password_reset(user.email)
        uses = [
            users.tokens.reset_password(old.token, new_password=f"old use {i}") for i in range(6)
        ]
        new, *used = await asyncio.gather(issuing, *uses, return_exceptions=True)
        assert isinstance(new, dal.IssuedToken)
        told = kinds(list(used))
        assert told["done"] <= 1
        assert told["done"] + told["AuthenticationError"] == 6
        # From now on the old one opens nothing, whether it was used or replaced.
        assert not await users.tokens.is_password_reset_valid(old.token)
        with pytest.raises(dal.AuthenticationError):
            await users.tokens.reset_password(old.token, new_password="too late by far")
        actions = [
            e.action for e in await crowd.entries(user.id) if e.outcome is dal.Outcome.SUCCESS
        ]
        if told["done"]:
            # Setting a password revokes what was issued before; what is issued after it is valid.
            is_last = actions[-1] == "user.issue_password_reset"
            assert await users.tokens.is_password_reset_valid(new.token) == is_last
        else:
            back = await users.tokens.reset_password(new.token, new_password="by the new one")
            assert back == await crowd.system.users.get(user.id)


async def test_a_token_is_for_the_address_it_was_asked_for(
    crowd: Crowd, dice: random.Random
) -> None:
    """A token issued while the address is changed does not open the account to who had it."""
    for _ in rounds(12):
        user = await crowd.user()
        renaming = crowd.as_user(user.id).users.update_details(user.id, email=f"new.{user.email}")
        issuing = [crowd.system.users.tokens.issue_password_reset(user.email) for _ in range(3)]
        issuing_first = dice.randrange(4)
        work: list[Awaitable[Any]] = [*issuing[:issuing_first], renaming, *issuing[issuing_first:]]
        results = await all_of(*work)
        assert set(kinds(results)) <= {"done"}
        for issued in results:
            if isinstance(issued, dal.IssuedToken):
                # Before the change, and then revoked by it.
                assert issued.email == user.email
                assert not await crowd.anybody.users.tokens.is_password_reset_valid(issued.token)


# ------------------------------------------------------- addresses, passwords


async def test_one_address_for_many(crowd: Crowd, dice: random.Random) -> None:
    """Made, taken over and restored onto at once: one has it, and the rest is told so."""
    for _ in rounds(6):
        email = f"wanted{next(_numbers)}@example.org"
        trash = [await crowd.user(None) for _ in range(3)]
        for user in trash:
            await crowd.system.users.update_details(user.id, email=email)
            await crowd.system.users.soft_delete(user.id)
        movers = [await crowd.user(None) for _ in range(4)]
        work = [crowd.system.users.restore(user.id) for user in trash]
        work += [
            crowd.as_user(user.id).users.update_details(user.id, email=email.upper())
            for user in movers
        ]
        work += [crowd.anybody.users.create(email=email, full_name="new") for _ in range(4)]
        dice.shuffle(work)
        results = await all_of(*work)
        assert kinds(results) == {"done": 1, "UniqueError": 10}
        refused = [r for r in results if isinstance(r, dal.UniqueError)]
        assert {r.constraint for r in refused} == {"uq_users_email_live"}
        (won,) = [r for r in results if isinstance(r, dal.User)]
        assert await crowd.system.users.find_by_email(email) == won
        for user in movers:
            if user.id != won.id:
                assert await crowd.system.users.get(user.id) == user
        had = await crowd.system.users.trash.list_by_email_including_deleted(email)
        assert [user.id for user in had if user.deleted_at is None] == [won.id]


async def test_two_swap_addresses(crowd: Crowd) -> None:
    """Neither is free while the other has it: both are refused, and nothing hangs."""
    for _ in rounds(4):
        one, two = await crowd.user(None), await crowd.user(None)
        results = await all_of(
            crowd.as_user(one.id).users.update_details(one.id, email=two.email),
            crowd.as_user(two.id).users.update_details(two.id, email=one.email),
        )
        assert kinds(results) == {"UniqueError": 2}
        assert await crowd.system.users.get(one.id) == one
        assert await crowd.system.users.get(two.id) == two


async def test_one_password_of_several(crowd: Crowd, dice: random.Random) -> None:
    """By the user, by token, by the system, and an account that is closed meanwhile."""
    for _ in rounds(6):
        user = await crowd.user()
        issued = await crowd.system.users.tokens.issue_password_reset(user.email)
        assert issued is not None
        me = crowd.as_user(user.id).users
        work: dict[str, Coroutine[Any, Any, dal.User]] = {
            f"by the user {i}": me.passwords.update(
                user.id, new_password=f"by the user {i}", current_password=PASSWORD
            )
            for i in range(2)
        }
        work["by a token"] = crowd.anybody.users.tokens.reset_password(
            issued.token, new_password="by a token"
        )
        work["by the system"] = crowd.system.users.passwords.update(
            user.id, new_password="by the system"
        )
        work["close"] = crowd.system.users.access.deactivate(user.id)
        ways = list(work)
        dice.shuffle(ways)
        results = dict(zip(ways, await all_of(*(work[way] for way in ways)), strict=True))
        assert set(kinds(list(results.values()))) <= {"done", "AuthenticationError"}
        done = {way: r for way, r in results.items() if isinstance(r, dal.User)}
        assert {"by the system", "close"} <= done.keys()
        # Each change has a time of its own, in the order of the log.
        entries = [
            e
            for e in await crowd.entries(user.id)
            if e.outcome is dal.Outcome.SUCCESS and e.action in CREDENTIALS
        ]
        times = sorted(r.credentials_changed_at for r in done.values())
        assert len(set(times)) == len(times) == len(entries)
        assert times[0] > user.credentials_changed_at
        fresh = await crowd.system.users.get(user.id)
        assert fresh.credentials_changed_at == times[-1]
        assert not fresh.is_active
        # The password is that of the last of them, and of no other.
        setters = {way: r for way, r in done.items() if way != "close"}
        last = max(setters, key=lambda way: setters[way].credentials_changed_at)
        await crowd.system.users.access.activate(user.id)
        for way in (PASSWORD, *(way for way in ways if way not in ("close", last))):
            assert not await crowd.lets_in(user, way)
        await crowd.system.users.access.unlock(user.id)
        assert await crowd.lets_in(user, last)


CREDENTIALS: Final = ("user.update_password", "user.reset_password", "user.deactivate")


async def test_contended_addresses_are_decided(crowd: Crowd) -> None:
    """A duplicate leaves a shared lock, and MariaDB calls two of them a deadlock."""
    users = crowd.db.acting_as(dal.Actor.system("tests")).users
    number = next(_numbers)
    addresses = [f"contended{number}-{n}@example.org" for n in range(12)]
    there = [await users.create(email=address, full_name="N") for address in addresses[:8]]
    dice = random.Random(7)

    async def work() -> set[type]:
        seen: set[type] = set()
        for _ in range(40):
            address = dice.choice(addresses)
            try:
                if dice.random() < 0.5:
                    await users.create(email=address, full_name="N")
                else:
                    await users.update_details(dice.choice(there).id, email=address)
            except dal.DalError as error:
                seen.add(type(error))
        return seen

    seen = set().union(*await asyncio.gather(*(work() for _ in range(16))))
    assert seen == {dal.UniqueError}
