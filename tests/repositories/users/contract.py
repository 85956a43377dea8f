"""What every public method of users does in every case; the words are in contracts.py."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal import AuthenticationError
from tests.repositories.contracts import Contract, World, make_user

# Who asks, and for whom: oneself; an id that nobody has; somebody else, by a user, by nobody in
# particular, by an admin, by one who says so and whom the database calls a user, by the system.
USER_CASES: Final = [
    "self",
    "self_deleted",
    "absent",
    "other",
    "other_deleted",
    "anonymous",
    "admin",
    "admin_deleted",
    "admin_absent",
    "stale_admin",
    "system",
    "system_deleted",
    "system_absent",
]

USERS: Final[dict[str, str]] = {
    # own:                          own del abs  oth del  anon  adm del abs  stale  sys del abs
    # with the id of the case's user
    "create":                     "UQ UQ yes    UQ UQ    UQ   UQ UQ yes    UQ   UQ UQ yes",
    # whoever has what proves it, and for a user who is let in
    "authenticate":               "yes AE AE    yes AE   yes  yes AE AE    yes  yes AE AE",
    "tokens.reset_password":      "yes AE AE    yes AE   yes  yes AE AE    yes  yes AE AE",
    "tokens.verify_email":        "yes AE AE    yes AE   yes  yes AE AE    yes  yes AE AE",
    "tokens.is_password_reset_valid":
                                  "yes no no    yes no   yes  yes no no    yes  yes no no",
    # the system, which issues sessions and sends mail
    "access.find_credentials_changed_at":
                                  "PD PD PD     PD PD    PD   PD PD PD     PD   yes no no",
    "tokens.issue_password_reset":
                                  "PD PD PD     PD PD    PD   PD PD PD     PD   yes no no",
    "tokens.issue_email_verification":
                                  "PD PD PD     PD PD    PD   PD PD PD     PD   yes NF NF",
    # oneself, admins, the system
    "find":                       "yes no no    no no    no   yes no no    no   yes no no",
    "get":                        "yes NF NF    NF NF    NF   yes NF NF    NF   yes NF NF",
    "dashboard":                  "yes NF NF    NF NF    NF   yes NF NF    NF   yes NF NF",
    "preferences.get":            "yes NF NF    NF NF    NF   yes NF NF    NF   yes NF NF",
    "preferences.get_value":      "yes NF NF    NF NF    NF   yes NF NF    NF   yes NF NF",
    "preferences.update":         "yes NF NF    NF NF    NF   yes NF NF    PD   yes NF NF",
    "preferences.unset":          "yes NF NF    NF NF    NF   yes NF NF    PD   yes NF NF",
    "preferences.reset":          "yes NF NF    NF NF    NF   yes NF NF    PD   yes NF NF",
    "passwords.update":           "yes NF NF    NF NF    NF   yes NF NF    PD   yes NF NF",
    "update_details":             "yes NF NF    NF NF    NF   yes NF NF    PD   yes NF NF",
    "soft_delete":                "yes NF NF    NF NF    NF   yes NF NF    PD   yes NF NF",
    # the system
    "transfer":                   "PD PD PD     PD PD    PD   PD PD PD     PD   yes NF NF",
    # oneself, admins, the system; and of who is in the trash
    "delete_account":             "yes NF NF    NF NF    NF   yes yes NF   PD   yes yes NF",
    # oneself, the system
    "export_data":                "yes NF NF    NF NF    NF   PD PD PD     PD   yes yes NF",
    # admins, the system
    "list_all":                   "PD PD PD     PD PD    PD   yes no no    PD   yes no no",
    "search":                     "PD PD PD     PD PD    PD   yes no no    PD   yes no no",
    "find_by_email":              "PD PD PD     PD PD    PD   yes no no    PD   yes no no",
    "count":                      "PD PD PD     PD PD    PD   yes no no    PD   yes no no",
    "statistics.get":             "PD PD PD     PD PD    PD   yes no no    PD   yes no no",
    "statistics.new_by_day":      "PD PD PD     PD PD    PD   yes no no    PD   yes no no",
    "trash.list_by_email_including_deleted":
                                  "PD PD PD     PD PD    PD   yes yes no   PD   yes yes no",
    "trash.get_including_deleted":
                                  "PD PD PD     PD PD    PD   yes yes NF   PD   yes yes NF",
    "access.change_role":         "PD PD PD     PD PD    PD   yes NF NF    PD   yes NF NF",
    "access.activate":            "PD PD PD     PD PD    PD   yes NF NF    PD   yes NF NF",
    "access.deactivate":          "PD PD PD     PD PD    PD   yes NF NF    PD   yes NF NF",
    "access.unlock":              "PD PD PD     PD PD    PD   yes NF NF    PD   yes NF NF",
    "restore":                    "PD PD PD     PD PD    PD   NF yes NF    PD   NF yes NF",
}  # fmt: skip


PASSWORD: Final = "correct horse battery"
NEW_PASSWORD: Final = "staple — another one"
PREFERENCES: Final = {"theme": "dark", "mail": {"daily": True, "at": [7, 30]}}


@attrs.define
class UserWorld(World):
    """One case: who asks, and the user that is asked about, with all that a user may have."""

    password: str = attrs.field(default=PASSWORD, repr=False)
    reset: str = attrs.field(default="", repr=False)
    verification: str = attrs.field(default="", repr=False)
    n_of_day: int = 0
    heir_id: UUID = attrs.field(factory=uuid4)
    statistics: dal.UserStatistics | None = None


async def user_world(
    db: dal.Database, clock: dal.ManualClock, case: str, method: str = ""
) -> UserWorld:
    system = db.acting_as(dal.Actor.system("contracts"))
    clock.move(timedelta(seconds=1))
    actor = await _user_actor(system, case)
    n_before = await system.users.count()
    statistics = await system.users.statistics.get() if method == "statistics.get" else None
    today = clock.now().date()
    n_of_day = await _users_of_day(system, today) if method == "statistics.new_by_day" else 0
    word = f"w{uuid4().hex}"
    user = await system.users.create(
        email=f"{word}@contracts.example", full_name=f"{word} Ada", password=PASSWORD
    )
    await system.users.preferences.update(user.id, PREFERENCES)
    reset = await system.users.tokens.issue_password_reset(user.email)
    verification = await system.users.tokens.issue_email_verification(user.id)
    assert reset is not None
    if method == "access.activate":
        await system.users.access.deactivate(user.id)
    if method == "access.unlock":
        await lock_out(system, user)
    user = await system.users.get(user.id)
    as_user = db.acting_as(dal.Actor.user(user.id))
    if method == "transfer":
        await as_user.templates.create(name="T", content="c")
    heir = await make_user(system, "Heir") if method == "transfer" else user
    world = UserWorld(
        case, db, clock, system, as_user, user, as_user, user.id, word, counted=n_before,
        reset=reset.token.reveal(), verification=verification.token.reveal(), n_of_day=n_of_day,
        statistics=statistics, heir_id=heir.id if heir is not user else uuid4(),
    )  # fmt: skip
    if not case.startswith("self"):
        world.me = db.acting_as(actor)
    clock.move(timedelta(seconds=1))
    if case.endswith(("deleted", "absent")):
        await system.users.soft_delete(user.id)
    if case.endswith("absent"):
        world.id, world.word = uuid4(), f"w{uuid4().hex}"
        world.owner = attrs.evolve(user, id=world.id, email=f"{world.word}@nobody.example")
        world.reset = world.verification = "made-up"
    # So that what a method changes is not of the time at which the user went.
    clock.move(timedelta(seconds=1))
    return world


async def _user_actor(system: dal.Session, case: str) -> dal.Actor:
    """Who asks, but for oneself."""
    if case.startswith("system"):
        return system.actor
    if case == "anonymous" or case.startswith("self"):
        return dal.Actor.anonymous()
    if case.startswith("admin"):
        return dal.Actor.user((await live_admin(system)).id, role=dal.Role.ADMIN)
    asker = await make_user(system, "Bob")
    return dal.Actor.user(asker.id, role="admin" if case == "stale_admin" else "user")


async def live_admin(system: dal.Session) -> dal.User:
    """An admin whom the cases share: each of them locks all that there are."""
    admins = (await system.users.list_all(role="admin", is_active=True, limit=1)).rows
    if admins:
        return admins[0]
    made = await make_user(system, "Grace")
    return await system.users.access.change_role(made.id, dal.Role.ADMIN)


async def lock_out(system: dal.Session, user: dal.User) -> None:
    """Guess until the account is locked."""
    while (await system.users.get(user.id)).locked_until is None:
        with pytest.raises(AuthenticationError):
            await system.users.authenticate(email=user.email, password="a guess")


async def _users_of_day(asks: dal.Session, day: date) -> int:
    by_day = {row.day: row.users for row in await asks.users.statistics.new_by_day(days=3)}
    return by_day[day]


async def _user_create(w: UserWorld) -> bool:
    email = f"{uuid4()}@contracts.example"
    made = await w.me.users.create(
        email=f" {email.upper()} ", full_name="Zoë", password=NEW_PASSWORD, id=w.id
    )
    now = w.clock.now()
    assert made == dal.User(
        id=w.id,
        email=email,
        full_name="Zoë",
        role=dal.Role.USER,
        is_active=True,
        email_verified_at=None,
        credentials_changed_at=now,
        locked_until=None,
        last_login_at=None,
        created_at=now,
        updated_at=now,
        deleted_at=None,
    )
    assert await w.system.users.preferences.get(w.id) == {}
    fresh = await w.system.users.get(w.id)
    assert (await w.me.users.authenticate(email=email, password=NEW_PASSWORD)).id == w.id
    return made == fresh


async def _user_authenticate(w: UserWorld) -> bool:
    back = await w.me.users.authenticate(email=f" {w.owner.email.upper()}", password=w.password)
    assert back == attrs.evolve(w.owner, last_login_at=w.clock.now())
    return back == await w.system.users.get(w.id)


async def _is_set(w: UserWorld, back: dal.User) -> bool:
    """Whether the new password is the one that counts, and the old token is gone."""
    now = w.clock.now()
    assert back == attrs.evolve(w.owner, credentials_changed_at=now, updated_at=now)
    fresh = await w.system.users.get(w.id)
    with pytest.raises(AuthenticationError):
        await w.system.users.authenticate(email=w.owner.email, password=w.password)
    await w.system.users.authenticate(email=w.owner.email, password=NEW_PASSWORD)
    assert not await w.system.users.tokens.is_password_reset_valid(w.reset)
    return back == fresh


async def _user_update_password(w: UserWorld) -> bool:
    current = w.password if w.me.actor.id == w.id else None
    back = await w.me.users.passwords.update(
        w.id, new_password=NEW_PASSWORD, current_password=current
    )
    return await _is_set(w, back)


async def _user_reset_password(w: UserWorld) -> bool:
    return await _is_set(
        w, await w.me.users.tokens.reset_password(w.reset, new_password=NEW_PASSWORD)
    )


async def _user_unlock(w: UserWorld) -> bool:
    back = await w.me.users.access.unlock(w.id)
    assert w.owner.locked_until is not None
    assert back == attrs.evolve(w.owner, locked_until=None, updated_at=w.clock.now())
    fresh = await w.system.users.get(w.id)
    # The guesses are forgotten too: another one is the first again.
    with pytest.raises(AuthenticationError):
        await w.system.users.authenticate(email=w.owner.email, password="a guess")
    await w.system.users.authenticate(email=w.owner.email, password=w.password)
    return back == fresh


async def _user_credentials(w: UserWorld) -> bool:
    found = await w.me.users.access.find_credentials_changed_at(w.id)
    assert found in (None, w.owner.credentials_changed_at)
    return found is not None


async def _user_issue_reset(w: UserWorld) -> bool:
    issued = await w.me.users.tokens.issue_password_reset(f" {w.owner.email.upper()}")
    if issued is None:
        return False
    assert (issued.user_id, issued.email) == (w.id, w.owner.email)
    assert issued.purpose is dal.TokenPurpose.PASSWORD_RESET
    assert issued.expires_at == w.clock.now() + timedelta(hours=1)
    assert not await w.system.users.tokens.is_password_reset_valid(w.reset)
    return await w.system.users.tokens.is_password_reset_valid(issued.token)


async def _user_issue_verification(w: UserWorld) -> bool:
    issued = await w.me.users.tokens.issue_email_verification(w.id)
    assert (issued.user_id, issued.email) == (w.id, w.owner.email)
    assert issued.purpose is dal.TokenPurpose.EMAIL_VERIFICATION
    assert issued.expires_at == w.clock.now() + timedelta(days=1)
    with pytest.raises(AuthenticationError):
        await w.system.users.tokens.verify_email(w.verification)
    return (await w.system.users.tokens.verify_email(issued.token)).id == w.id


async def _user_is_reset_valid(w: UserWorld) -> bool:
    return await w.me.users.tokens.is_password_reset_valid(w.reset)


async def _user_verify_email(w: UserWorld) -> bool:
    back = await w.me.users.tokens.verify_email(w.verification)
    now = w.clock.now()
    assert back == attrs.evolve(w.owner, email_verified_at=now, updated_at=now)
    with pytest.raises(AuthenticationError):
        await w.me.users.tokens.verify_email(w.verification)
    return back == await w.system.users.get(w.id)


async def _user_get_preferences(w: UserWorld) -> bool:
    return await w.me.users.preferences.get(w.id) == PREFERENCES


async def _user_get_preference(w: UserWorld) -> bool:
    assert await w.me.users.preferences.get_value(w.id, "mail.weekly", default="no") == "no"
    found: object = await w.me.users.preferences.get_value(w.id, "mail.at")
    return found == [7, 30]


async def _are(w: UserWorld, back: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Preferences are no part of the account: nothing else has changed."""
    assert await w.system.users.get(w.id) == w.owner
    return back == expected == await w.system.users.preferences.get(w.id)


async def _user_update_preferences(w: UserWorld) -> bool:
    back = await w.me.users.preferences.update(w.id, {"mail.daily": False, "size": 3})
    mail = {"daily": False, "at": [7, 30]}
    return await _are(w, back, {"theme": "dark", "mail": mail, "size": 3})


async def _user_unset_preference(w: UserWorld) -> bool:
    back = await w.me.users.preferences.unset(w.id, "mail.at")
    return await _are(w, back, {"theme": "dark", "mail": {"daily": True}})


async def _user_reset_preferences(w: UserWorld) -> bool:
    return await _are(w, await w.me.users.preferences.reset(w.id), {})


def _user_in(w: UserWorld, rows: Iterable[dal.User]) -> bool:
    shown = [row for row in rows if row.id == w.id]
    assert shown in ([], [w.owner])
    return bool(shown)


async def _user_list_all(w: UserWorld) -> bool:
    return _user_in(w, (await w.me.users.list_all(role="user", is_active=True)).rows)


async def _user_search(w: UserWorld) -> bool:
    # Name and address both begin so; the user is there once.
    by_prefix = await w.me.users.search(w.word.upper())
    inside = await w.me.users.search(w.word[5:].upper(), match="substring")
    assert by_prefix.rows == inside.rows
    return _user_in(w, by_prefix.rows)


async def _user_list_by_email(w: UserWorld) -> bool:
    found = await w.me.users.trash.list_by_email_including_deleted(f" {w.owner.email.upper()}")
    return [_but_deleted(w, row) for row in found] == [w.owner]


def _but_deleted(w: UserWorld, row: dal.User) -> dal.User:
    """The same user, had they not been deleted in this case."""
    assert (row.deleted_at is not None) == w.case.endswith("deleted")
    return attrs.evolve(row, deleted_at=None, updated_at=w.owner.updated_at)


async def _user_get_including_deleted(w: UserWorld) -> bool:
    return _but_deleted(w, await w.me.users.trash.get_including_deleted(w.id)) == w.owner


async def _user_count(w: UserWorld) -> bool:
    more = await w.me.users.count() - w.counted
    assert more in (0, 1)
    return more == 1


async def _user_statistics(w: UserWorld) -> bool:
    found, before = await w.me.users.statistics.get(), w.statistics
    assert before is not None
    # What time alone changes: others' log-ins and locks grow old meanwhile.
    of_time = ("locked", "daily_active", "weekly_active", "monthly_active")
    aged: dict[str, Any] = {field: getattr(found, field) for field in of_time}
    before = attrs.evolve(before, **aged)
    one_more = {
        field: getattr(before, field) + 1
        for field in ("total", "active", "users", "never_logged_in")
    }
    assert found in (before, attrs.evolve(before, **one_more))
    return found != before


async def _user_new_by_day(w: UserWorld) -> bool:
    more = await _users_of_day(w.me, w.owner.created_at.date()) - w.n_of_day
    assert more in (0, 1)
    return more == 1


async def _user_find(w: UserWorld) -> bool:
    found = await w.me.users.find(w.id)
    assert found in (None, w.owner)
    return found is not None


async def _user_get(w: UserWorld) -> bool:
    return await w.me.users.get(w.id) == w.owner


async def _user_find_by_email(w: UserWorld) -> bool:
    found = await w.me.users.find_by_email(f"  {w.owner.email.upper()}")
    assert found in (None, w.owner)
    return found is not None


async def _user_update_details(w: UserWorld) -> bool:
    back = await w.me.users.update_details(
        w.id, email=f" NEW-{w.word}@Contracts.Example", full_name="Another"
    )
    assert back == attrs.evolve(
        w.owner,
        email=f"new-{w.word}@contracts.example",
        full_name="Another",
        updated_at=w.clock.now(),
    )
    assert not await w.system.users.tokens.is_password_reset_valid(w.reset)
    assert await w.system.users.find_by_email(w.owner.email) is None
    assert await w.system.users.find_by_email(back.email) == back
    return back == await w.system.users.get(w.id)


async def _has_changed(w: UserWorld, back: dal.User, **changes: object) -> bool:
    now = w.clock.now()
    expected: dict[str, Any] = {**changes, "credentials_changed_at": now, "updated_at": now}
    assert back == attrs.evolve(w.owner, **expected)
    return back == await w.system.users.get(w.id)


async def _user_change_role(w: UserWorld) -> bool:
    back = await w.me.users.access.change_role(w.id, "viewer")
    return await _has_changed(w, back, role=dal.Role.VIEWER)


async def _user_activate(w: UserWorld) -> bool:
    return await _has_changed(w, await w.me.users.access.activate(w.id), is_active=True)


async def _user_deactivate(w: UserWorld) -> bool:
    return await _has_changed(w, await w.me.users.access.deactivate(w.id), is_active=False)


async def _user_soft_delete(w: UserWorld) -> bool:
    await w.me.users.soft_delete(w.id)
    fresh = await w.system.users.trash.get_including_deleted(w.id)
    now = w.clock.now()
    assert fresh == attrs.evolve(w.owner, deleted_at=now, updated_at=now)
    assert await w.system.users.find_by_email(w.owner.email) is None
    return await w.system.users.find(w.id) is None


async def _user_restore(w: UserWorld) -> bool:
    back = await w.me.users.restore(w.id)
    # The very same as before they were deleted, but for the time of the change.
    assert back == attrs.evolve(w.owner, updated_at=w.clock.now())
    assert await w.system.users.find_by_email(w.owner.email) == back
    assert await w.as_owner.users.preferences.get(w.id) == PREFERENCES
    return back == await w.as_owner.users.get(w.id)


async def _user_dashboard(w: UserWorld) -> bool:
    found = await w.me.users.dashboard(w.id, days=2, time_zone="Asia/Tokyo")
    return len(found.days) == 2


async def _user_export_data(w: UserWorld) -> bool:
    rows = [row async for row in w.me.users.export_data(w.id)]
    account, *others = [json.loads(row.line) for row in rows]
    assert account["data"]["email"] == w.owner.email
    assert account["data"]["preferences"] == PREFERENCES
    kinds = [row.kind for row in rows]
    assert sum(kind.endswith("_token") for kind in kinds) == (0 if w.owner.deleted_at else 2)
    assert any(w.owner.email in str(other["data"]["changes"]) for other in others[2:])
    return bool(account["data"]["id"] == str(w.id))


async def _user_transfer(w: UserWorld) -> bool:
    given = await w.me.users.transfer(w.id, w.heir_id)
    assert given == dal.AccountTransfer(conversations=0, templates=1, is_done=True)
    (mine,) = (await w.db.acting_as(dal.Actor.user(w.heir_id)).templates.list_mine()).rows
    assert (mine.name, mine.owner_id) == ("T", w.heir_id)
    return (await w.as_owner.templates.list_mine()).rows == ()


async def _user_delete_account(w: UserWorld) -> bool:
    assert await w.me.users.delete_account(w.id) == dal.AccountDeletion()
    gone = await w.system.users.trash.get_including_deleted(w.id)
    assert gone.email == f"{w.id.hex}@accounts.invalid"
    assert (gone.full_name, gone.is_active) == ("Former user", False)
    assert gone.deleted_at is not None
    with pytest.raises(AuthenticationError):
        await w.system.users.authenticate(email=w.owner.email, password=w.password)
    # The address is free, and it was the last word.
    await w.system.users.create(email=w.owner.email, full_name="Ada again")
    again = w.me if w.me.actor.id == w.id else w.system
    assert await again.users.delete_account(w.id) == dal.AccountDeletion()
    return gone.deleted_at is not None


USER_ASKS: Final[dict[str, Callable[[UserWorld], Awaitable[bool]]]] = {
    "create": _user_create,
    "authenticate": _user_authenticate,
    "tokens.reset_password": _user_reset_password,
    "tokens.verify_email": _user_verify_email,
    "tokens.is_password_reset_valid": _user_is_reset_valid,
    "access.find_credentials_changed_at": _user_credentials,
    "tokens.issue_password_reset": _user_issue_reset,
    "tokens.issue_email_verification": _user_issue_verification,
    "find": _user_find,
    "get": _user_get,
    "dashboard": _user_dashboard,
    "export_data": _user_export_data,
    "transfer": _user_transfer,
    "delete_account": _user_delete_account,
    "preferences.get": _user_get_preferences,
    "preferences.get_value": _user_get_preference,
    "preferences.update": _user_update_preferences,
    "preferences.unset": _user_unset_preference,
    "preferences.reset": _user_reset_preferences,
    "passwords.update": _user_update_password,
    "update_details": _user_update_details,
    "soft_delete": _user_soft_delete,
    "list_all": _user_list_all,
    "search": _user_search,
    "find_by_email": _user_find_by_email,
    "count": _user_count,
    "statistics.get": _user_statistics,
    "statistics.new_by_day": _user_new_by_day,
    "trash.list_by_email_including_deleted": _user_list_by_email,
    "trash.get_including_deleted": _user_get_including_deleted,
    "access.change_role": _user_change_role,
    "access.activate": _user_activate,
    "access.deactivate": _user_deactivate,
    "access.unlock": _user_unlock,
    "restore": _user_restore,
}

CONTRACT: Final = Contract("users.", USER_CASES, USERS, USER_ASKS, user_world)
