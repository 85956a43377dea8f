"""Users: addresses, details, roles, the last admin, and when credentials changed."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from tests.conftest import Recorder, new_user
from tests.repositories.conftest import Root, Rows

PASSWORD: Final = "correct horse battery"
OTHER_PASSWORD: Final = "staple and another"
ROLES: Final = list(dal.Role)


def address(word: str = "") -> str:
    return f"{word}{uuid4().hex}@users.example"


def row_of(root: Root, user_id: UUID) -> Rows:
    return root("SELECT * FROM users WHERE id = %s", user_id.bytes)


def tokens_of(root: Root, user_id: UUID) -> Rows:
    return root("SELECT * FROM user_tokens WHERE user_id = %s ORDER BY purpose", user_id.bytes)


def acting(db: dal.Database, user: dal.User, role: dal.Role | None = None) -> dal.Session:
    """A session of theirs, with the role that they had when it was opened."""
    return db.acting_as(dal.Actor.user(user.id, role=role or user.role))


async def entries_of(system: dal.Session, user_id: UUID) -> list[tuple[str, str]]:
    """What was done about a user, the newest first."""
    page = await system.audit.list_of_target("user", user_id)
    return [(entry.action, entry.outcome.value) for entry in page.rows]


@pytest.fixture
async def with_password(system: dal.Session) -> dal.User:
    """A live user who can log in."""
    return await system.users.create(email=address(), full_name="Ada", password=PASSWORD)


# ----------------------------------------------------------------------------------- addresses


SPELLINGS: Final[list[Callable[[str], str]]] = [
    lambda e: e,
    lambda e: e.upper(),
    lambda e: f" \t\n{e}\r\n ",
    lambda e: unicodedata.normalize("NFD", e),
    lambda e: f"\u3000{unicodedata.normalize('NFD', e.upper())}\u00a0",
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=["plain", "upper", "spaces", "nfd", "all"])
async def test_an_address_is_one_however_it_is_written(
    system: dal.Session, spelling: Callable[[str], str]
) -> None:
    word = uuid4().hex
    email = f"zoë.\u1e69.{word}@münchen.example"
    assert unicodedata.is_normalized("NFC", email)
    made = await system.users.create(email=spelling(email), full_name="Zoë", password=PASSWORD)
    assert made.email == email
    assert await system.users.get(made.id) == made
    for other in SPELLINGS:
        assert await system.users.find_by_email(other(email)) == made
        assert await system.users.trash.list_by_email_including_deleted(other(email)) == [made]
        with pytest.raises(dal.UniqueError) as caught:
            await system.users.create(email=other(email), full_name="Other")
        assert caught.value.constraint == "uq_users_email_live"
        back = await system.users.authenticate(email=other(email), password=PASSWORD)
        assert back == attrs.evolve(made, last_login_at=back.last_login_at)
        made = back
    # Accents are told apart, as mail servers do.
    plain = await system.users.create(email=f"zoe.s.{word}@munchen.example", full_name="Zoe")
    assert await system.users.find_by_email(plain.email) == plain
    assert await system.users.find_by_email(email) != plain


async def test_an_address_is_unique_among_the_live_alone(system: dal.Session) -> None:
    email = address()
    gone: list[dal.User] = []
    for i in range(3):
        made = await system.users.create(email=email, full_name=str(i))
        assert await system.users.find_by_email(email) == made
        await system.users.soft_delete(made.id)
        assert await system.users.find_by_email(email) is None
        gone.append(await system.users.trash.get_including_deleted(made.id))
    live = await system.users.create(email=email, full_name="live")
    found = await system.users.trash.list_by_email_including_deleted(email)
    assert found == [live, *reversed(gone)]
    assert await system.users.trash.list_by_email_including_deleted(email, limit=2) == found[:2]
    # An inactive user keeps the address.
    await system.users.access.deactivate(live.id)
    with pytest.raises(dal.UniqueError):
        await system.users.create(email=email, full_name="again")


async def test_a_restore_that_would_clash_changes_nothing(
    system: dal.Session, root: Root, as_admin: dal.Session, clock: dal.ManualClock
) -> None:
    email = address()
    first = await system.users.create(email=email, full_name="first", password=PASSWORD)
    await system.users.soft_delete(first.id)
    second = await system.users.create(email=email.upper(), full_name="second")
    clock.move(timedelta(seconds=1))
    before = [row_of(root, user.id) for user in (first, second)]
    told = await entries_of(system, first.id)
    for session in (system, as_admin):
        with pytest.raises(dal.UniqueError) as caught:
            await session.users.restore(first.id)
        assert caught.value.constraint == "uq_users_email_live"
        assert email not in str(caught.value)
        assert [row_of(root, user.id) for user in (first, second)] == before
        assert await entries_of(system, first.id) == told
    # Once the address is free, by a new one of the other or by their end, it can be done.
    await system.users.update_details(second.id, email=address("second"))
    back = await system.users.restore(first.id)
    assert back == await system.users.find_by_email(email)
    assert back == attrs.evolve(first, updated_at=clock.now())
    assert (await system.users.authenticate(email=email, password=PASSWORD)).id == first.id


async def test_find_by_email_finds_the_live_one(
    system: dal.Session, as_admin: dal.Session, ada: dal.User, as_ada: dal.Session
) -> None:
    assert await as_admin.users.find_by_email(ada.email) == ada
    assert await system.users.find_by_email(address("nobody")) is None
    # Not even one's own: whoever may ask could ask for any.
    with pytest.raises(dal.PermissionDeniedError):
        await as_ada.users.find_by_email(ada.email)
    for wrong in ("ada", "@", "a@", "@b", "a@b@c", "a b@c.example", "", " ", 5, None):
        for session in (system, as_ada):
            with pytest.raises(dal.ValueRejectedError) as caught:
                await session.users.find_by_email(wrong)  # type: ignore[arg-type]
            assert caught.value.field == "email"


# -------------------------------------------------------------------------------------- create


async def test_who_creates_users_of_which_role(
    db: dal.Database, system: dal.Session, as_admin: dal.Session, as_ada: dal.Session, ada: dal.User
) -> None:
    nobody = db.acting_as(dal.Actor.anonymous())
    viewer = acting(db, ada, dal.Role.VIEWER)
    stale = acting(db, ada, dal.Role.ADMIN)
    modest = db.acting_as(dal.Actor.user(_id(as_admin), role="user"))
    for session in (system, as_admin, as_ada, viewer, stale, modest, nobody):
        made = await session.users.create(email=address(), full_name="New")
        assert made == await system.users.get(made.id)
        assert made.role is dal.Role.USER
    for session in (system, as_admin):
        for role in ROLES:
            made = await session.users.create(email=address(), full_name="New", role=role.value)
            assert made == await system.users.get(made.id)
            assert made.role is role
    for session in (as_ada, viewer, stale, modest, nobody):
        for role in (dal.Role.ADMIN, dal.Role.VIEWER):
            new_id, email = uuid4(), address()
            with pytest.raises(dal.PermissionDeniedError):
                await session.users.create(email=email, full_name="New", role=role, id=new_id)
            assert await system.users.trash.list_by_email_including_deleted(email) == []
            assert await entries_of(system, new_id) == [("user.create", "denied")]


async def test_without_a_password_nobody_logs_in(system: dal.Session, root: Root) -> None:
    made = await system.users.create(email=address(), full_name="Ada")
    ((stored,),) = root("SELECT password_hash FROM users WHERE id = %s", made.id.bytes)
    assert stored is None
    for guess in ("", "None", "null", PASSWORD):
        with pytest.raises(dal.AuthenticationError):
            await system.users.authenticate(email=made.email, password=guess)
    with pytest.raises(dal.AuthenticationError):
        await system.users.authenticate(email=made.email, password=PASSWORD)
    await system.users.passwords.update(made.id, new_password=PASSWORD)
    assert (await system.users.authenticate(email=made.email, password=PASSWORD)).id == made.id


async def test_the_hash_is_in_no_record(
    system: dal.Session, with_password: dal.User, root: Root, clock: dal.ManualClock
) -> None:
    ((stored,),) = root("SELECT password_hash FROM users WHERE id = %s", with_password.id.bytes)
    assert stored.startswith("$argon2id$")
    clock.move(timedelta(seconds=1))
    users, user_id, email = system.users, with_password.id, with_password.email
    records: list[object] = [
        with_password,
        await users.get(user_id),
        await users.find_by_email(email),
        await users.trash.get_including_deleted(user_id),
        await users.trash.list_by_email_including_deleted(email),
        await users.list_all(limit=500),
        await users.search(email),
        await users.authenticate(email=email, password=PASSWORD),
        await users.update_details(user_id, full_name="Other"),
        await users.passwords.update(user_id, new_password=OTHER_PASSWORD),
        await users.access.unlock(user_id),
        await users.access.change_role(user_id, "viewer"),
        await users.access.deactivate(user_id),
        await users.access.activate(user_id),
        await users.tokens.issue_password_reset(email),
        await users.statistics.get(),
    ]
    ((changed,),) = root("SELECT password_hash FROM users WHERE id = %s", user_id.bytes)
    assert changed != stored
    shown = repr(records) + str([str(record) for record in records])
    for secret in (stored, changed, PASSWORD, OTHER_PASSWORD, "$argon2", "password_hash"):
        assert secret not in shown
    names = {field.name for field in attrs.fields(dal.User)}
    assert not {name for name in names if "hash" in name or "password" in name}


# ------------------------------------------------------------------------------------- details


async def test_details_are_changed_one_by_one(
    system: dal.Session, as_ada: dal.Session, ada: dal.User, clock: dal.ManualClock
) -> None:
    clock.move(timedelta(seconds=1))
    named = await as_ada.users.update_details(ada.id, full_name="  Ada\tLovelace ")
    assert named == attrs.evolve(ada, full_name="  Ada\tLovelace ", updated_at=clock.now())
    assert named == await system.users.get(ada.id)
    clock.move(timedelta(seconds=1))
    email = address("Ada.")
    moved = await as_ada.users.update_details(ada.id, email=email, full_name=dal.KEEP)
    assert moved == attrs.evolve(named, email=email.lower(), updated_at=clock.now())
    assert moved == await as_ada.users.get(ada.id)
    assert await as_ada.users.update_details(ada.id) == moved
    for field in ("email", "full_name"):
        given: dict[str, Any] = {field: None}
        with pytest.raises(dal.ValueRejectedError) as caught:
            await as_ada.users.update_details(ada.id, **given)
        assert caught.value.field == field
    assert await as_ada.users.get(ada.id) == moved


async def test_the_same_details_are_no_change(
    as_ada: dal.Session, ada: dal.User, root: Root, clock: dal.ManualClock, recorder: Recorder
) -> None:
    before = row_of(root, ada.id)
    clock.move(timedelta(seconds=1))
    recorder.clear()
    back = await as_ada.users.update_details(
        ada.id, email=f" {ada.email.upper()}", full_name=ada.full_name
    )
    assert back == ada
    assert row_of(root, ada.id) == before
    assert not {"users/update_details", "audit_logs/insert"} & set(recorder.names)


async def test_details_of_somebody_who_was_faster(
    as_ada: dal.Session, ada: dal.User, system: dal.Session, clock: dal.ManualClock
) -> None:
    # With the clock standing still: each change is later than the one before all the same.
    first = await as_ada.users.update_details(
        ada.id, full_name="First", expected_updated_at=ada.updated_at
    )
    assert first.updated_at > ada.updated_at
    told = await entries_of(system, ada.id)
    for full_name in ("Second", "First"):
        with pytest.raises(dal.StaleVersionError) as caught:
            await as_ada.users.update_details(
                ada.id, full_name=full_name, expected_updated_at=ada.updated_at
            )
        assert caught.value.expected == ada.updated_at
        assert caught.value.actual == first.updated_at
    assert await as_ada.users.get(ada.id) == first
    assert await entries_of(system, ada.id) == told
    elsewhere = first.updated_at.astimezone(None)
    second = await as_ada.users.update_details(
        ada.id, full_name="Second", expected_updated_at=elsewhere
    )
    assert second.updated_at > first.updated_at
    # A log-in and preferences are no change of the account.
    await as_ada.users.preferences.update(ada.id, {"theme": "dark"})
    third = await as_ada.users.update_details(
        ada.id, full_name="Third", expected_updated_at=second.updated_at
    )
    assert third == await as_ada.users.get(ada.id)


async def test_a_new_address_is_not_verified_and_revokes_tokens(
    system: dal.Session, ada: dal.User, as_ada: dal.Session, root: Root
) -> None:
    issued = await system.users.tokens.issue_email_verification(ada.id)
    verified = await system.users.tokens.verify_email(issued.token)
    assert verified.email_verified_at is not None

    async def both() -> tuple[dal.IssuedToken, dal.IssuedToken]:
        reset = await system.users.tokens.issue_password_reset(verified.email)
        assert reset is not None
        return reset, await system.users.tokens.issue_email_verification(ada.id)

    reset, verification = await both()
    kept = tokens_of(root, ada.id)
    assert len(kept) == 2
    # Neither by a new name nor by the same address.
    named = await as_ada.users.update_details(
        ada.id, full_name="Other", email=verified.email.upper()
    )
    assert named.email_verified_at == verified.email_verified_at
    assert tokens_of(root, ada.id) == kept
    # Nor where the change is refused.
    bob = await new_user_of(system)
    with pytest.raises(dal.UniqueError):
        await as_ada.users.update_details(ada.id, email=bob.email)
    assert tokens_of(root, ada.id) == kept
    moved = await as_ada.users.update_details(ada.id, email=address("ada"))
    assert moved.email_verified_at is None
    assert moved == await system.users.get(ada.id)
    assert tokens_of(root, ada.id) == []
    assert not await system.users.tokens.is_password_reset_valid(reset.token)
    with pytest.raises(dal.AuthenticationError):
        await system.users.tokens.verify_email(verification.token)
    assert await system.users.get(ada.id) == moved


async def new_user_of(system: dal.Session, role: str = "user") -> dal.User:
    return await system.users.create(email=address(), full_name="Bob", role=role)


async def test_an_address_of_somebody_else(
    system: dal.Session,
    ada: dal.User,
    as_ada: dal.Session,
    bob: dal.User,
    as_bob: dal.Session,
    root: Root,
) -> None:
    before, told = row_of(root, ada.id), await entries_of(system, ada.id)
    with pytest.raises(dal.UniqueError) as caught:
        await as_ada.users.update_details(ada.id, email=f" {bob.email.upper()}", full_name="Bob")
    assert caught.value.constraint == "uq_users_email_live"
    assert bob.email not in str(caught.value)
    assert row_of(root, ada.id) == before
    assert await entries_of(system, ada.id) == told
    # Once it is given up, it is free; and so is what was one's own.
    moved = await as_bob.users.update_details(bob.id, email=address("bob"))
    assert (await as_ada.users.update_details(ada.id, email=bob.email)).email == bob.email
    await as_bob.users.update_details(bob.id, email=ada.email)
    await as_bob.users.update_details(bob.id, email=moved.email)
    await system.users.soft_delete(bob.id)
    taken = await as_ada.users.update_details(ada.id, email=moved.email)
    assert taken == await system.users.find_by_email(moved.email)


async def test_who_changes_whose_details(
    db: dal.Database,
    system: dal.Session,
    ada: dal.User,
    as_bob: dal.Session,
    as_admin: dal.Session,
    as_nobody: dal.Session,
) -> None:
    for name, session in (("by an admin", as_admin), ("by the system", system)):
        back = await session.users.update_details(ada.id, full_name=name)
        assert back == await system.users.get(ada.id)
        assert back.full_name == name
    # Whatever role a session has, it is enough for oneself.
    for role in ROLES:
        back = await acting(db, ada, role).users.update_details(ada.id, full_name=role.value)
        assert back.full_name == role.value
    fresh = await system.users.get(ada.id)
    for session in (as_bob, as_nobody):
        with pytest.raises(dal.NotFoundError):
            await session.users.update_details(ada.id, full_name="taken over")
    with pytest.raises(dal.PermissionDeniedError):
        await _as_admin(db, as_bob).users.update_details(ada.id, full_name="taken over")
    assert await system.users.get(ada.id) == fresh


def _id(session: dal.Session) -> UUID:
    assert session.actor.id is not None
    return session.actor.id


def _as_admin(db: dal.Database, session: dal.Session) -> dal.Session:
    """The same user in a session that says that they are an admin."""
    return db.acting_as(dal.Actor.user(_id(session), role="admin"))


# --------------------------------------------------------------------------------------- roles


async def test_an_admin_and_the_system_change_roles(
    system: dal.Session, as_admin: dal.Session, ada: dal.User, clock: dal.ManualClock
) -> None:
    user = ada
    for session in (system, as_admin):
        for role in ("viewer", dal.Role.ADMIN, "user"):
            clock.move(timedelta(seconds=1))
            back = await session.users.access.change_role(user.id, role)
            now = clock.now()
            assert back == attrs.evolve(
                user, role=dal.Role(role), credentials_changed_at=now, updated_at=now
            )
            assert back == await system.users.get(user.id)
            user = back


async def test_nobody_else_changes_a_role(
    db: dal.Database, system: dal.Session, ada: dal.User, bob: dal.User, grace: dal.User, root: Root
) -> None:
    sessions = [
        db.acting_as(dal.Actor.anonymous()),
        *(acting(db, user, role) for user in (ada, bob) for role in ROLES),
        # An admin who asked for less.
        acting(db, grace, dal.Role.USER),
        acting(db, grace, dal.Role.VIEWER),
    ]
    before, n_told = row_of(root, ada.id), len(await entries_of(system, ada.id))
    for session in sessions:
        for role in ROLES:
            with pytest.raises(dal.PermissionDeniedError):
                await session.users.access.change_role(ada.id, role)
    assert row_of(root, ada.id) == before
    told = await entries_of(system, ada.id)
    assert len(told) - n_told == len(sessions) * len(ROLES)
    assert set(told[:-n_told]) == {("user.change_role", "denied")}


async def _wait(done: Callable[[], Awaitable[object]]) -> None:
    await done()


ADMINS_ALONE: Final[dict[str, Callable[[dal.Session, dal.User], Awaitable[object]]]] = {
    "list_all": lambda s, u: s.users.list_all(),
    "search": lambda s, u: s.users.search("a"),
    "count": lambda s, u: s.users.count(),
    "statistics": lambda s, u: s.users.statistics.get(),
    "new_by_day": lambda s, u: s.users.statistics.new_by_day(),
    "find_by_email": lambda s, u: s.users.find_by_email(u.email),
    "list_by_email": lambda s, u: s.users.trash.list_by_email_including_deleted(u.email),
    "get_including_deleted": lambda s, u: s.users.trash.get_including_deleted(u.id),
    "create": lambda s, u: s.users.create(email=address(), full_name="N", role="viewer"),
    "change_role": lambda s, u: s.users.access.change_role(u.id, "viewer"),
    "deactivate": lambda s, u: s.users.access.deactivate(u.id),
    "activate": lambda s, u: s.users.access.activate(u.id),
    "unlock": lambda s, u: s.users.access.unlock(u.id),
    "restore": lambda s, u: s.users.restore(u.id),
    "update_details": lambda s, u: s.users.update_details(u.id, full_name="Other"),
    "update_password": lambda s, u: s.users.passwords.update(u.id, new_password=PASSWORD),
    "update_preferences": lambda s, u: s.users.preferences.update(u.id, {"a": 1}),
    "unset_preference": lambda s, u: s.users.preferences.unset(u.id, "a"),
    "reset_preferences": lambda s, u: s.users.preferences.reset(u.id),
    "soft_delete": lambda s, u: s.users.soft_delete(u.id),
}


@pytest.mark.parametrize("end", ["demoted", "viewer", "deactivated", "deleted"])
async def test_who_is_no_admin_any_more_is_none_at_once(
    db: dal.Database, system: dal.Session, ada: dal.User, grace: dal.User, root: Root, end: str
) -> None:
    """In the session that was opened before, and in a transaction of it that is open."""
    second = await new_user_of(system, "admin")
    session = acting(db, second)
    assert await session.users.get(ada.id) == ada
    admin = acting(db, grace)
    endings: dict[str, Callable[[], Awaitable[object]]] = {
        "demoted": lambda: admin.users.access.change_role(second.id, "user"),
        "viewer": lambda: admin.users.access.change_role(second.id, "viewer"),
        "deactivated": lambda: admin.users.access.deactivate(second.id),
        "deleted": lambda: admin.users.soft_delete(second.id),
    }
    async with session.begin() as tx:
        assert await tx.users.find(ada.id) == ada
        # By somebody else: a task has one transaction.
        await asyncio.create_task(_wait(endings[end]))
        before = row_of(root, ada.id)
        assert await tx.users.find(ada.id) is None
        with pytest.raises(dal.PermissionDeniedError):
            await tx.users.access.deactivate(ada.id)
    assert await session.users.find(ada.id) is None
    for ask in (session.users.get, session.users.preferences.get):
        with pytest.raises(dal.NotFoundError):
            await ask(ada.id)
    for method, attempt in ADMINS_ALONE.items():
        with pytest.raises(dal.PermissionDeniedError):
            await attempt(session, ada)
        assert row_of(root, ada.id) == before, method
    # What is their own is still theirs, while they are there.
    if end != "deleted":
        assert (await session.users.get(second.id)).id == second.id
        await session.users.update_details(second.id, full_name="Former")


async def test_who_becomes_an_admin_is_one_in_a_session_that_says_so(
    db: dal.Database, system: dal.Session, ada: dal.User, bob: dal.User
) -> None:
    before = acting(db, bob)
    await system.users.access.change_role(bob.id, "admin")
    # The session that was opened before asks for no more than a user may.
    assert await before.users.find(ada.id) is None
    assert await acting(db, bob, dal.Role.ADMIN).users.find(ada.id) == ada


# ------------------------------------------------------------------- when credentials changed


Change = Callable[[dal.Session, dal.User], Awaitable[object]]


async def _reset(system: dal.Session, user: dal.User) -> None:
    issued = await system.users.tokens.issue_password_reset(user.email)
    assert issued is not None
    await system.users.tokens.reset_password(issued.token, new_password=OTHER_PASSWORD)


async def _verify(system: dal.Session, user: dal.User) -> None:
    issued = await system.users.tokens.issue_email_verification(user.id)
    await system.users.tokens.verify_email(issued.token)


async def _fail(system: dal.Session, user: dal.User) -> None:
    while (await system.users.get(user.id)).locked_until is None:
        with pytest.raises(dal.AuthenticationError):
            await system.users.authenticate(email=user.email, password="wrong")


async def _fail_and_unlock(system: dal.Session, user: dal.User) -> None:
    await _fail(system, user)
    await system.users.access.unlock(user.id)


async def _delete_and_restore(system: dal.Session, user: dal.User) -> None:
    await system.users.soft_delete(user.id)
    assert await system.users.access.find_credentials_changed_at(user.id) is None
    await system.users.restore(user.id)


MOVES: Final[dict[str, Change]] = {
    "update_password": lambda s, u: s.users.passwords.update(u.id, new_password=OTHER_PASSWORD),
    "the same password": lambda s, u: s.users.passwords.update(u.id, new_password=PASSWORD),
    "reset_password": _reset,
    "change_role": lambda s, u: s.users.access.change_role(u.id, "viewer"),
    "to admin": lambda s, u: s.users.access.change_role(u.id, "admin"),
    "deactivate": lambda s, u: s.users.access.deactivate(u.id),
}
STAYS: Final[dict[str, Change]] = {
    "full_name": lambda s, u: s.users.update_details(u.id, full_name="Other"),
    "email": lambda s, u: s.users.update_details(u.id, email=address("other")),
    "update_preferences": lambda s, u: s.users.preferences.update(u.id, {"theme": "light"}),
    "unset_preference": lambda s, u: s.users.preferences.unset(u.id, "theme"),
    "reset_preferences": lambda s, u: s.users.preferences.reset(u.id),
    "authenticate": lambda s, u: s.users.authenticate(email=u.email, password=PASSWORD),
    "failed log-ins": _fail,
    "unlock": _fail_and_unlock,
    "soft_delete and restore": _delete_and_restore,
    "issue_password_reset": lambda s, u: s.users.tokens.issue_password_reset(u.email),
    "verify_email": _verify,
    "the same role": lambda s, u: s.users.access.change_role(u.id, "user"),
    "the same activity": lambda s, u: s.users.access.activate(u.id),
}


@pytest.mark.parametrize("what", [*MOVES, *STAYS])
@pytest.mark.parametrize("clock_moves", [True, False])
async def test_when_credentials_changed(
    system: dal.Session,
    with_password: dal.User,
    clock: dal.ManualClock,
    root: Root,
    what: str,
    clock_moves: bool,
) -> None:
    """Moves with password, role and activity, though the clock stands; stays with all else."""
    user = with_password
    await system.users.preferences.update(user.id, {"theme": "dark"})
    ((theirs,),) = root("SELECT credentials_changed_at FROM users WHERE id = %s", user.id.bytes)
    assert theirs.replace(tzinfo=UTC) == user.credentials_changed_at
    if clock_moves:
        clock.move(timedelta(seconds=1))
    await (MOVES.get(what) or STAYS[what])(system, user)
    fresh = await system.users.get(user.id)
    if what in STAYS:
        assert fresh.credentials_changed_at == user.credentials_changed_at
    else:
        assert fresh.credentials_changed_at > user.credentials_changed_at
        if clock_moves:
            assert fresh.credentials_changed_at == clock.now()
    found = await system.users.access.find_credentials_changed_at(user.id)
    assert found == (fresh.credentials_changed_at if fresh.is_active else None)


async def test_a_new_password_of_ones_own_moves_it_too(
    db: dal.Database, with_password: dal.User
) -> None:
    """A wrong current password does not."""
    me = acting(db, with_password)
    with pytest.raises(dal.AuthenticationError):
        await me.users.passwords.update(
            with_password.id, new_password=OTHER_PASSWORD, current_password="wrong"
        )
    assert await me.users.get(with_password.id) == with_password
    back = await me.users.passwords.update(
        with_password.id, new_password=OTHER_PASSWORD, current_password=PASSWORD
    )
    assert back == await me.users.get(with_password.id)
    assert back.credentials_changed_at > with_password.credentials_changed_at


async def test_changes_within_one_tick_are_told_apart(
    system: dal.Session, with_password: dal.User
) -> None:
    """The clock stands still all the while."""
    seen = [with_password.credentials_changed_at]
    changes: list[Callable[[], Awaitable[dal.User]]] = [
        lambda: system.users.access.change_role(with_password.id, "viewer"),
        lambda: system.users.access.change_role(with_password.id, "user"),
        lambda: system.users.access.deactivate(with_password.id),
        lambda: system.users.access.activate(with_password.id),
        lambda: system.users.passwords.update(with_password.id, new_password=OTHER_PASSWORD),
        lambda: system.users.passwords.update(with_password.id, new_password=OTHER_PASSWORD),
    ]
    for change in changes:
        back = await change()
        assert back == await system.users.get(with_password.id)
        assert back.updated_at >= back.credentials_changed_at
        seen.append(back.credentials_changed_at)
    assert seen == sorted(set(seen))


async def test_when_credentials_changed_is_one_indexed_read(
    system: dal.Session, ada: dal.User, recorder: Recorder
) -> None:
    recorder.clear()
    assert (
        await system.users.access.find_credentials_changed_at(ada.id) == ada.credentials_changed_at
    )
    assert recorder.names == ["users/find_credentials_changed_at"]


async def test_who_is_not_let_in_has_no_time(
    system: dal.Session, ada: dal.User, as_ada: dal.Session, as_admin: dal.Session
) -> None:
    await system.users.access.deactivate(ada.id)
    assert await system.users.access.find_credentials_changed_at(ada.id) is None
    active = await system.users.access.activate(ada.id)
    found = await system.users.access.find_credentials_changed_at(ada.id)
    assert found == active.credentials_changed_at > ada.credentials_changed_at
    assert await system.users.access.find_credentials_changed_at(uuid4()) is None
    for session in (as_ada, as_admin):
        with pytest.raises(dal.PermissionDeniedError):
            await session.users.access.find_credentials_changed_at(ada.id)


# -------------------------------------------------------------------------------- the last admin


@pytest.fixture
async def only_admin(alone: dal.Database) -> dal.User:
    """The one live, active admin of a database where nobody else makes any."""
    system = alone.acting_as(dal.Actor.system("tests"))
    made = await new_user_of(system, "admin")
    for admin in (await system.users.list_all(role="admin", limit=500)).rows:
        if admin != made:
            await system.users.soft_delete(admin.id)
    assert (await system.users.list_all(role="admin")).rows == (made,)
    return made


ENDS: Final[dict[str, Change]] = {
    "user.change_role": lambda s, u: s.users.access.change_role(u.id, "user"),
    "user.change_role viewer": lambda s, u: s.users.access.change_role(u.id, "viewer"),
    "user.deactivate": lambda s, u: s.users.access.deactivate(u.id),
    "user.soft_delete": lambda s, u: s.users.soft_delete(u.id),
}
# A session of the admin that asked for less may still delete whose it is.
BY: Final = ["system", "themselves", "a job of theirs", "modest", "in a transaction", "caught"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("by", BY)
async def test_the_last_admin_stays(
    alone: dal.Database, only_admin: dal.User, end: str, by: str
) -> None:
    if by == "modest" and end != "user.soft_delete":
        return
    system = alone.acting_as(dal.Actor.system("tests"))
    sessions = {
        "system": system,
        "modest": acting(alone, only_admin, dal.Role.USER),
    }
    session = sessions.get(by) or acting(alone, only_admin)
    told = await entries_of(system, only_admin.id)
    attempt = ENDS[end]
    if by == "in a transaction":
        with pytest.raises(dal.LastAdminError) as caught:  # noqa: PT012 - both go with it
            async with session.begin() as tx:
                await tx.users.update_details(only_admin.id, full_name="Other")
                await attempt(tx, only_admin)
    elif by == "caught":
        async with session.begin() as tx:
            with pytest.raises(dal.LastAdminError) as caught:
                await attempt(tx, only_admin)
    else:
        with pytest.raises(dal.LastAdminError) as caught:
            await attempt(session, only_admin)
    assert caught.value.constraint == "last_admin"
    assert await system.users.get(only_admin.id) == only_admin
    # The attempt is kept, and nothing else.
    assert await entries_of(system, only_admin.id) == [(end.split()[0], "denied"), *told]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("other", ["inactive", "deleted", "demoted", "user", "viewer"])
async def test_who_counts_as_no_admin(
    alone: dal.Database, only_admin: dal.User, end: str, other: str
) -> None:
    system = alone.acting_as(dal.Actor.system("tests"))
    second = await new_user_of(system, other if other in ("user", "viewer") else "admin")
    if other == "inactive":
        await system.users.access.deactivate(second.id)
    elif other == "deleted":
        await system.users.soft_delete(second.id)
    elif other == "demoted":
        await system.users.access.change_role(second.id, "user")
    for session in (system, acting(alone, only_admin)):
        with pytest.raises(dal.LastAdminError):
            await ENDS[end](session, only_admin)
    assert await system.users.get(only_admin.id) == only_admin
    # Until they are one.
    if other == "inactive":
        await system.users.access.activate(second.id)
    elif other == "deleted":
        await system.users.restore(second.id)
    else:
        await system.users.access.change_role(second.id, "admin")
    await ENDS[end](acting(alone, only_admin), only_admin)
    fresh = await system.users.trash.get_including_deleted(only_admin.id)
    assert (fresh.role, fresh.is_active, fresh.deleted_at) != (dal.Role.ADMIN, True, None)
    # And now the second one is the last.
    with pytest.raises(dal.LastAdminError):
        await ENDS[end](system, second)
    assert (await system.users.get(second.id)).role is dal.Role.ADMIN


@pytest.mark.parametrize("end", ENDS)
async def test_of_many_admins_one_stays(
    alone: dal.Database, only_admin: dal.User, end: str
) -> None:
    """One after the other, in one transaction and in many."""
    system = alone.acting_as(dal.Actor.system("tests"))
    admins = [only_admin, *[await new_user_of(system, "admin") for _ in range(5)]]
    *going, last = reversed(admins)
    assert last == only_admin
    by_last = acting(alone, last)
    async with by_last.begin() as tx:
        for admin in going[:2]:
            await ENDS[end](tx, admin)
    for admin in going[2:]:
        await ENDS[end](by_last, admin)
    with pytest.raises(dal.LastAdminError):
        await ENDS[end](by_last, last)
    assert (await system.users.list_all(role="admin", is_active=True)).rows == (last,)
    # All of them in one transaction, which is refused as a whole.
    second = await new_user_of(system, "admin")
    with pytest.raises(dal.LastAdminError):  # noqa: PT012 - both go with it
        async with system.begin() as tx:
            await ENDS[end](tx, last)
            await ENDS[end](tx, second)
    assert await system.users.get(last.id) == last
    assert await system.users.get(second.id) == second


async def test_what_the_last_admin_may_do_all_the_same(
    alone: dal.Database, only_admin: dal.User
) -> None:
    system = alone.acting_as(dal.Actor.system("tests"))
    session = acting(alone, only_admin)
    assert await session.users.access.change_role(only_admin.id, "admin") == only_admin
    assert await session.users.access.activate(only_admin.id) == only_admin
    changed = await session.users.update_details(only_admin.id, full_name="Other")
    await system.users.passwords.update(only_admin.id, new_password=PASSWORD)
    # An admin who is not active, or deleted, is none: each of them may go.
    idle = await new_user_of(system, "admin")
    await session.users.access.deactivate(idle.id)
    await session.users.access.change_role(idle.id, "user")
    await session.users.access.change_role(idle.id, "admin")
    await session.users.soft_delete(idle.id)
    fresh = await system.users.get(only_admin.id)
    assert (fresh.role, fresh.full_name) == (dal.Role.ADMIN, changed.full_name)


async def test_a_plain_user_is_told_nothing_of_the_last_admin(
    alone: dal.Database, only_admin: dal.User
) -> None:
    system = alone.acting_as(dal.Actor.system("tests"))
    plain = acting(alone, await new_user_of(system))
    with pytest.raises(dal.NotFoundError):
        await plain.users.soft_delete(only_admin.id)
    for end in ("user.change_role", "user.deactivate"):
        with pytest.raises(dal.PermissionDeniedError):
            await ENDS[end](plain, only_admin)
    assert await system.users.get(only_admin.id) == only_admin


# ----------------------------------------------------------------------------------- bad input


Bad = Callable[[dal.Session, UUID, Any], Awaitable[object]]

_ADDRESSES: Final[list[object]] = [
    "", " ", "ada", "@", "a@", "@b.example", "a@b@c.example", "a@.example", "a@b..example",
    "a b@c.example", "a@b.exam ple", "a\u200b@b.example", "a\x00@b.example", "a\n@b.example",
    "\ud800@b.example", f"{'a' * 254}@b.example", None, 7, b"a@b.example", ["a@b.example"],
]  # fmt: skip
_NAMES: Final[list[object]] = [
    "", " ", "\t\n\u3000", "a" * 101, "\ud800", None, 7, b"Ada", ["Ada"],
]  # fmt: skip
_PASSWORDS: Final[list[object]] = [
    "", "a" * 7, "e\u0301" * 4, "a" * 1025, "\ud800" * 8, 12345678, b"a" * 20, ["a"] * 20,
]  # fmt: skip
_GIVEN: Final[list[object]] = ["a" * 1025, "\ud800", None, 7, b"bytes"]
_ROLES: Final[list[object]] = ["root", "", "ADMIN", " admin", None, 0, True, b"admin", ["admin"]]
_IDS: Final[list[object]] = ["x", str(uuid4()), uuid4().bytes, 7, 0]
_TIMES: Final[list[object]] = [
    "2026-01-01", 0, datetime(2026, 1, 1), datetime(1, 1, 1, tzinfo=UTC),  # noqa: DTZ001
]  # fmt: skip
_TOKENS: Final[list[object]] = ["a" * 201, "\ud800", None, 7, b"token"]
_VALID_FOR: Final[list[object]] = [
    timedelta(0), -timedelta(seconds=1), timedelta(days=30, microseconds=1), timedelta.max, 60,
    None, "1 day",
]  # fmt: skip
_KEYS: Final[list[object]] = ["", ".", "a.", ".a", "a..b", "a b", "é", "a" * 65, 7, None]
_VALUES: Final[list[object]] = [
    object(), b"bytes", {1, 2}, float("nan"), float("inf"), 2**63, uuid4(), "\ud800",
    [[[[[[[[[1]]]]]]]]], {"a b": 1},
]  # fmt: skip

# method and field -> what is refused, and the call; of the actor's own, or of what they may do.
BAD: Final[dict[str, tuple[list[object], Bad]]] = {
    "create email": (_ADDRESSES, lambda s, i, v: s.users.create(email=v, full_name="A")),
    "create full_name": (
        _NAMES, lambda s, i, v: s.users.create(email=address(), full_name=v)
    ),
    "create password": (
        _PASSWORDS, lambda s, i, v: s.users.create(email=address(), full_name="A", password=v)
    ),
    "create role": (
        _ROLES, lambda s, i, v: s.users.create(email=address(), full_name="A", role=v)
    ),
    "create id": (_IDS, lambda s, i, v: s.users.create(email=address(), full_name="A", id=v)),
    "update_details email": (_ADDRESSES, lambda s, i, v: s.users.update_details(i, email=v)),
    "update_details full_name": (_NAMES, lambda s, i, v: s.users.update_details(i, full_name=v)),
    "update_details expected_updated_at": (
        _TIMES, lambda s, i, v: s.users.update_details(i, full_name="N", expected_updated_at=v)
    ),
    "change_role role": (_ROLES, lambda s, i, v: s.users.access.change_role(i, v)),
    "update_password new_password": (
        [*_PASSWORDS, None],
        lambda s, i, v: s.users.passwords.update(i, new_password=v, current_password=PASSWORD),
    ),
    "update_password current_password": (
        _GIVEN,
        lambda s, i, v: s.users.passwords.update(
            i, new_password=OTHER_PASSWORD, current_password=v
        ),
    ),
    "authenticate email": (
        _ADDRESSES, lambda s, i, v: s.users.authenticate(email=v, password=PASSWORD)
    ),
    "authenticate password": (
        _GIVEN, lambda s, i, v: s.users.authenticate(email=address(), password=v)
    ),
    "reset_password token": (
        _TOKENS, lambda s, i, v: s.users.tokens.reset_password(v, new_password=OTHER_PASSWORD)
    ),
    "reset_password new_password": (
        [*_PASSWORDS, None], lambda s, i, v: s.users.tokens.reset_password("token", new_password=v)
    ),
    "is_password_reset_valid token": (
        _TOKENS, lambda s, i, v: s.users.tokens.is_password_reset_valid(v)
    ),
    "verify_email token": (_TOKENS, lambda s, i, v: s.users.tokens.verify_email(v)),
    "issue_password_reset email": (
        _ADDRESSES, lambda s, i, v: s.users.tokens.issue_password_reset(v)
    ),
    "issue_password_reset valid_for": (
        _VALID_FOR, lambda s, i, v: s.users.tokens.issue_password_reset(address(), valid_for=v)
    ),
    "issue_email_verification valid_for": (
        _VALID_FOR, lambda s, i, v: s.users.tokens.issue_email_verification(i, valid_for=v)
    ),
    "update_preferences preferences.theme": (
        _VALUES, lambda s, i, v: s.users.preferences.update(i, {"a": 1, "theme": v})
    ),
    "update_preferences preferences": (
        [*({key: 1} for key in _KEYS), {"a": "x" * 16_384}, None, "a", [1]],
        lambda s, i, v: s.users.preferences.update(i, v),
    ),
    "update_preferences preferences.a.b": (
        [{"a": 1, "a.b": 2}, {"a": {"b": 1}, "a.b": 2}, {"a.b": object()}],
        lambda s, i, v: s.users.preferences.update(i, v),
    ),
    "get_preference preferences": (_KEYS, lambda s, i, v: s.users.preferences.get_value(i, v)),
    "unset_preference preferences": (_KEYS, lambda s, i, v: s.users.preferences.unset(i, v)),
    "find_by_email email": (_ADDRESSES, lambda s, i, v: s.users.find_by_email(v)),
    "list_by_email_including_deleted email": (
        _ADDRESSES, lambda s, i, v: s.users.trash.list_by_email_including_deleted(v)
    ),
    **{
        f"{method} user_id": ([*_IDS, None], call)
        for method, call in {
            "find": lambda s, i, v: s.users.find(v),
            "get": lambda s, i, v: s.users.get(v),
            "get_including_deleted": lambda s, i, v: s.users.trash.get_including_deleted(v),
            "get_preferences": lambda s, i, v: s.users.preferences.get(v),
            "get_preference": lambda s, i, v: s.users.preferences.get_value(v, "a"),
            "find_credentials_changed_at": (
                lambda s, i, v: s.users.access.find_credentials_changed_at(v)
            ),
            "update_details": lambda s, i, v: s.users.update_details(v, full_name="N"),
            "update_password": lambda s, i, v: s.users.passwords.update(v, new_password=PASSWORD),
            "update_preferences": lambda s, i, v: s.users.preferences.update(v, {"a": 1}),
            "unset_preference": lambda s, i, v: s.users.preferences.unset(v, "a"),
            "reset_preferences": lambda s, i, v: s.users.preferences.reset(v),
            "issue_email_verification": lambda s, i, v: s.users.tokens.issue_email_verification(v),
            "change_role": lambda s, i, v: s.users.access.change_role(v, "user"),
            "activate": lambda s, i, v: s.users.access.activate(v),
            "deactivate": lambda s, i, v: s.users.access.deactivate(v),
            "soft_delete": lambda s, i, v: s.users.soft_delete(v),
            "restore": lambda s, i, v: s.users.restore(v),
            "unlock": lambda s, i, v: s.users.access.unlock(v),
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("by", ["themselves", "the system"])
async def test_bad_input_is_refused_by_name(
    db: dal.Database,
    system: dal.Session,
    with_password: dal.User,
    root: Root,
    case: str,
    by: str,
) -> None:
    values, call = BAD[case]
    field = case.partition(" ")[2]
    if field == "current_password" and by == "the system":
        # Who changes somebody else's is not asked for it.
        return
    session = acting(db, with_password) if by == "themselves" else system
    before = everything(root)
    row = row_of(root, with_password.id)
    for value in values:
        with pytest.raises(dal.ValueRejectedError) as caught:
            await call(session, with_password.id, value)
        assert caught.value.field == field, value
        # Nor is it repeated.
        if isinstance(value, str) and len(value) > 6:
            assert value not in str(caught.value)
    assert row_of(root, with_password.id) == row
    assert everything(root) == before


def everything(root: Root) -> Rows:
    return root(
        "SELECT (SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM user_tokens),"
        " (SELECT COUNT(*) FROM audit_logs), (SELECT MAX(updated_at) FROM users)"
    )


@pytest.mark.parametrize(
    "good",
    ["a@b", "a@b.example", f"{'a' * 242}@b.example", "o'brien+tag@b.example", '"a"@b.example'],
)
async def test_good_addresses(system: dal.Session, good: str) -> None:
    made = await system.users.create(email=good, full_name="A")
    assert made.email == good
    assert await system.users.find_by_email(good) == made
    # A place for the next run.
    await system.users.soft_delete(made.id)


@pytest.mark.parametrize("name", ["A", " A ", "a" * 100, "\U0001f600" * 100, "\x00", "a\nb"])
async def test_good_names(system: dal.Session, ada: dal.User, name: str) -> None:
    made = await system.users.create(email=address(), full_name=name)
    assert (await system.users.get(made.id)).full_name == made.full_name == name
    changed = await system.users.update_details(ada.id, full_name=name)
    assert (await system.users.get(ada.id)).full_name == changed.full_name == name


@pytest.mark.parametrize("password", ["a" * 8, " " * 8, "é" * 8, "\U0001f600" * 8, "a" * 1024])
async def test_good_passwords(system: dal.Session, password: str) -> None:
    made = await system.users.create(email=address(), full_name="A", password=password)
    back = await system.users.authenticate(email=made.email, password=password)
    assert back == await system.users.get(made.id)
    with pytest.raises(dal.AuthenticationError):
        await system.users.authenticate(email=made.email, password=password[:-1])


# --------------------------------------------------------------------------- delete and restore


async def test_a_user_comes_back_as_they_were(
    db: dal.Database, system: dal.Session, clock: dal.ManualClock, root: Root
) -> None:
    user = await system.users.create(
        email=address(), full_name="Ada", password=PASSWORD, role="viewer"
    )
    await system.users.preferences.update(user.id, {"theme": "dark"})
    await system.users.authenticate(email=user.email, password=PASSWORD)
    await _verify(system, user)
    before = await system.users.get(user.id)
    columns = [name for (name, *_) in root("SHOW COLUMNS FROM users")]
    (old,) = row_of(root, user.id)
    clock.move(timedelta(seconds=1))
    await acting(db, user).users.soft_delete(user.id)
    for attempt in (acting(db, user).users.get, system.users.get, system.users.soft_delete):
        with pytest.raises(dal.NotFoundError):
            await attempt(user.id)
    clock.move(timedelta(seconds=1))
    back = await system.users.restore(user.id)
    assert back == attrs.evolve(before, updated_at=clock.now())
    (new,) = row_of(root, user.id)
    changed = [name for name, a, b in zip(columns, old, new, strict=True) if a != b]
    assert changed == ["updated_at"]
    with pytest.raises(dal.NotFoundError):
        await system.users.restore(user.id)
    assert (await system.users.authenticate(email=user.email, password=PASSWORD)).id == user.id


async def test_a_deleted_user_is_no_actor(db: dal.Database, system: dal.Session) -> None:
    user = await new_user(db)
    session = acting(db, user)
    await session.users.soft_delete(user.id)
    assert await session.users.find(user.id) is None
    for attempt in (
        session.users.soft_delete(user.id),
        session.users.update_details(user.id, full_name="N"),
        session.users.preferences.update(user.id, {"a": 1}),
        session.users.preferences.get(user.id),
        session.templates.create(name="n", content="c"),
    ):
        with pytest.raises((dal.NotFoundError, dal.ParentMissingError)):
            await attempt
    # Not even to take back what they did.
    with pytest.raises(dal.PermissionDeniedError):
        await session.users.restore(user.id)
    assert (await system.users.trash.get_including_deleted(user.id)).deleted_at is not None


async def test_an_admin_in_the_trash_takes_nobody_out_of_it(
    db: dal.Database, system: dal.Session, grace: dal.User, ada: dal.User
) -> None:
    """Least of all themselves."""
    await new_user_of(system, "admin")
    as_grace = db.acting_as(dal.Actor.user(grace.id, role=dal.Role.ADMIN))
    await system.users.soft_delete(ada.id)
    await system.users.soft_delete(grace.id)
    for user in (grace, ada):
        with pytest.raises(dal.PermissionDeniedError):
            await as_grace.users.restore(user.id)
        assert (await system.users.trash.get_including_deleted(user.id)).deleted_at is not None
