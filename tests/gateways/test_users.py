"""sql/users/ through UsersGateway.

A write is given a row in which every column has a value that no statement writes by chance. What
it leaves is compared as a whole row: :func:`check_change`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import attrs
import pymysql
import pytest

import dal
from dal.config import Config
from dal.gateways import UsersGateway
from dal.provision import connect
from dal.records.clock import END_OF_TIME, START_OF_TIME
from dal.records.ids import MAX_ID
from dal.records.users import Account, UserKey, UserPreferences
from dal.server import Engine
from tests.gateways.helpers import (
    FIRST,
    NOW,
    UserRow,
    check_tested,
    columns,
    put_user,
    stored_user,
    user,
    user_row,
)

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
LATER = NOW + TICK
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$AbCdEf"
ADMIN, USER, VIEWER = dal.Role.ADMIN, dal.Role.USER, dal.Role.VIEWER

Change = Callable[[UsersGateway, UUID], Awaitable[int]]


def test_all_of_it() -> None:
    check_tested(UsersGateway, globals())


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    fields = {field.name for field in attrs.fields(UserRow)}
    # The generated column is what find_by_email looks into.
    assert await columns(tx, "users") == fields | {"email_live"}
    row = await put_user(tx, user_row())
    assert await stored_user(tx, row.id) == row
    nothing = user_row(
        email_verified_at=None, password_hash=None, locked_until=None, last_login_at=None,
        deleted_at=NOW, preferences={}, is_active=False,
    )  # fmt: skip
    assert await stored_user(tx, (await put_user(tx, nothing)).id) == nothing


def alike(row: UserRow, **changes: Any) -> UserRow:
    """Another user in the same state."""
    return attrs.evolve(row, **{"id": uuid4(), "email": f"{uuid4()}@alike.example", **changes})


async def check_change(
    tx: dal.Session, change: Change, *, before: UserRow | None = None, **after: Any
) -> None:
    """The change writes just these columns of just this row, and none of a deleted user.

    ``before`` is the row that is changed; the deleted user is like it in all else.
    """
    users, row = UsersGateway(tx), await put_user(tx, before or user_row())
    other = await put_user(tx, alike(row))
    deleted = await put_user(tx, alike(row, deleted_at=NOW - DAY))
    expected = attrs.evolve(row, **after)
    assert expected != row
    assert await change(users, row.id) == 1
    assert await stored_user(tx, row.id) == expected
    assert await change(users, deleted.id) == 0
    assert await change(users, uuid4()) == 0
    assert await stored_user(tx, deleted.id) == deleted
    assert await stored_user(tx, other.id) == other
    assert await stored_user(tx, row.id) == expected


# One row is read --------------------------------------------------------------------------------


async def test_find_by_id(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), await put_user(tx, user_row())
    deleted = await put_user(tx, alike(row, deleted_at=NOW))
    inactive = await put_user(tx, alike(row, is_active=False))
    assert await users.find_by_id(user_id=row.id) == row.user
    assert await users.find_by_id(user_id=inactive.id) == inactive.user
    assert await users.find_by_id(user_id=deleted.id) is None
    assert await users.find_by_id(user_id=uuid4()) is None


async def test_find_self(tx: dal.Session) -> None:
    users, mine = UsersGateway(tx), await put_user(tx, user_row())
    other = await put_user(tx, alike(mine))
    deleted = await put_user(tx, alike(mine, deleted_at=NOW))
    assert await users.find_self(actor_id=mine.id, user_id=mine.id) == mine.user
    assert await users.find_self(actor_id=mine.id, user_id=other.id) is None
    assert await users.find_self(actor_id=other.id, user_id=mine.id) is None
    assert await users.find_self(actor_id=deleted.id, user_id=deleted.id) is None


async def test_find_by_email(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), await put_user(tx, user_row(email=f"{uuid4()}é@x.example"))
    await put_user(tx, user_row())
    assert await users.find_by_email(email=row.email) == row.user
    # Byte for byte: what is alike for a collation is another address.
    assert await users.find_by_email(email=row.email.replace("é", "e")) is None
    assert await users.find_by_email(email=row.email.upper()) is None
    await users.soft_delete(user_id=row.id, now=NOW)
    assert await users.find_by_email(email=row.email) is None
    # The address is of whoever is live, however many had it.
    heir = await put_user(tx, alike(row, email=row.email))
    assert await users.find_by_email(email=row.email) == heir.user


async def test_get_including_deleted(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), await put_user(tx, user_row())
    deleted = await put_user(tx, alike(row, deleted_at=NOW))
    assert await users.get_including_deleted(user_id=row.id) == row.user
    assert await users.get_including_deleted(user_id=deleted.id) == deleted.user
    with pytest.raises(dal.NotFoundError):
        await users.get_including_deleted(user_id=uuid4())


def check_account(account: Account | None, row: UserRow) -> None:
    """The account is the row, and its hash is nowhere to be seen."""
    assert account is not None
    assert account.user == row.user
    assert account.failed_logins == row.failed_logins
    assert account.password_hash == row.password_hash == HASH
    for shown in (repr(account), str(account), f"{account}", repr([account]), repr(account.user)):
        assert HASH not in shown
        assert "password_hash" not in shown


async def test_find_account(tx: dal.Session) -> None:
    users, email = UsersGateway(tx), f"{uuid4()}é@x.example"
    row = await put_user(tx, user_row(email=email, password_hash=HASH))
    await put_user(tx, user_row())
    check_account(await users.find_account(email=email), row)
    assert await users.find_account(email=email.replace("é", "e")) is None
    assert await users.find_account(email=email.upper()) is None
    await users.soft_delete(user_id=row.id, now=NOW)
    assert await users.find_account(email=email) is None
    # Who may not log in is found too: the refusal has a reason.
    heir = alike(
        row, email=email, is_active=False, locked_until=LATER, failed_logins=5, password_hash=None
    )
    await put_user(tx, heir)
    account = await users.find_account(email=email)
    assert account is not None
    assert account.user == heir.user
    assert account.failed_logins == 5
    assert account.password_hash is None


async def test_find_account_by_id(tx: dal.Session) -> None:
    users, mine = UsersGateway(tx), await put_user(tx, user_row(password_hash=HASH))
    other = await put_user(tx, alike(mine))
    deleted = await put_user(tx, alike(mine, deleted_at=NOW))
    check_account(await users.find_account_by_id(actor_id=mine.id, user_id=mine.id), mine)
    assert await users.find_account_by_id(actor_id=mine.id, user_id=other.id) is None
    assert await users.find_account_by_id(actor_id=other.id, user_id=mine.id) is None
    assert await users.find_account_by_id(actor_id=deleted.id, user_id=deleted.id) is None


async def test_find_credentials_changed_at(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), await put_user(tx, user_row())
    inactive = await put_user(tx, alike(row, is_active=False))
    deleted = await put_user(tx, alike(row, deleted_at=NOW))
    found = await users.find_credentials_changed_at(user_id=row.id)
    assert found == row.credentials_changed_at
    assert await users.find_credentials_changed_at(user_id=inactive.id) is None
    assert await users.find_credentials_changed_at(user_id=deleted.id) is None
    assert await users.find_credentials_changed_at(user_id=uuid4()) is None


PREFERENCES: dict[str, Any] = {
    "": None,
    "zz first": "Zoë \U0001f600 'quoted' \"twice\" \\ \n \0 :user_id % %s",
    "numbers": [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 0.1, -2.5, 1e-7, 1e300],
    "nested": {"a": {"b": [{"c": True}, [], {}, [[False]]]}},
    "é": "e",
    "e": "é",
}


def same(found: UserPreferences | None, expected: dict[str, Any]) -> bool:
    """Equal, and of the same types: 1 is no True, and no 1.0."""
    assert found is not None
    texts = [json.dumps(value, sort_keys=True) for value in (found.preferences, expected)]
    return texts[0] == texts[1]


async def test_find_preferences(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), await put_user(tx, user_row(preferences=PREFERENCES))
    await put_user(tx, user_row())
    deleted = await put_user(tx, alike(row, deleted_at=NOW))
    assert same(await users.find_preferences(user_id=row.id), PREFERENCES)
    assert await users.find_preferences(user_id=deleted.id) is None
    assert await users.find_preferences(user_id=uuid4()) is None


async def test_find_own_preferences(tx: dal.Session) -> None:
    users, mine = UsersGateway(tx), await put_user(tx, user_row(preferences=PREFERENCES))
    other = await put_user(tx, alike(mine))
    deleted = await put_user(tx, alike(mine, deleted_at=NOW))
    found = await users.find_own_preferences(actor_id=mine.id, user_id=mine.id)
    assert same(found, PREFERENCES)
    assert await users.find_own_preferences(actor_id=mine.id, user_id=other.id) is None
    assert await users.find_own_preferences(actor_id=other.id, user_id=mine.id) is None
    assert await users.find_own_preferences(actor_id=deleted.id, user_id=deleted.id) is None


# Many rows are read -----------------------------------------------------------------------------


async def test_count_all(tx: dal.Session) -> None:
    users = UsersGateway(tx)
    before = await users.count_all()
    await user(tx)
    await put_user(tx, user_row(is_active=False))
    gone = await user(tx)
    assert await users.count_all() == before + 3
    await users.soft_delete(user_id=gone, now=NOW)
    assert await users.count_all() == before + 2
    statistics = await users.get_statistics(now=NOW, day_ago=NOW, week_ago=NOW, month_ago=NOW)
    assert statistics.total == before + 2


async def test_get_statistics(tx: dal.Session) -> None:
    users, ago = UsersGateway(tx), {"day_ago": 1, "week_ago": 7, "month_ago": 30}
    times = {name: NOW - n_days * DAY for name, n_days in ago.items()}
    plain = {"role": USER, "email_verified_at": None, "locked_until": None, "last_login_at": None}
    kinds: list[dict[str, Any]] = [
        {"role": ADMIN},
        {"role": VIEWER, "is_active": False},
        {"role": VIEWER, "is_active": False, "email_verified_at": LATER},
        # A lock that ends now has ended.
        {"locked_until": NOW},
        {"locked_until": LATER},
        # Who logged in just then counts, who did a moment before does not.
        {"last_login_at": LATER},
        *({"last_login_at": at - late} for at in times.values() for late in (TICK, TICK * 0)),
    ]
    before = await users.get_statistics(now=NOW, **times)
    rows = [user_row(**{**plain, **kind}) for kind in kinds]
    for row in rows:
        await put_user(tx, row)
        await put_user(tx, alike(row, deleted_at=NOW))
    after = await users.get_statistics(now=NOW, **times)
    added = {
        field.name: getattr(after, field.name) - getattr(before, field.name)
        for field in attrs.fields(dal.UserStatistics)
    }
    assert added == {
        "total": 12,
        "active": 10,
        "inactive": 2,
        "admins": 1,
        "users": 9,
        "viewers": 2,
        "email_verified": 1,
        "locked": 1,
        "never_logged_in": 5,
        "daily_active": 2,
        "weekly_active": 4,
        "monthly_active": 6,
    }


async def test_list_by_email_including_deleted(tx: dal.Session) -> None:
    users, email = UsersGateway(tx), f"{uuid4()}é@x.example"
    start = uuid4().int // 2
    # The ids tell who is newer, not the times; the live one is neither first nor last.
    made = {
        n: user_row(
            id=UUID(int=start + n), email=email, created_at=NOW - n * DAY,
            deleted_at=None if n == 3 else NOW + n * DAY,
        )
        for n in (2, 4, 1, 3)
    }  # fmt: skip
    for row in made.values():
        await put_user(tx, row)
    for near in (f"{uuid4()}@x.example", email.replace("é", "e"), email.upper()):
        await put_user(tx, user_row(email=near))
    expected = [made[n].user for n in (4, 3, 2, 1)]
    listed = users.list_by_email_including_deleted
    assert await listed(email=email, limit_rows=9) == expected
    assert await listed(email=email, limit_rows=3) == expected[:3]
    assert await listed(email=f"{uuid4()}@x.example", limit_rows=9) == []


# Clocks go forward only, so nobody else creates users then.
_DAY = datetime(1731, 3, 10, tzinfo=UTC)
_HOUR = timedelta(hours=1)


async def by_day(tx: dal.Session, start: datetime, end: datetime, **more: int) -> dict[date, int]:
    values = {"utc_offset_s": 0, "limit_rows": 99, **more}
    rows = await UsersGateway(tx).list_new_by_day(from_at=start, until_at=end, **values)
    counts = {row.day: row.users for row in rows}
    assert list(counts) == sorted(counts)
    assert len(counts) == len(rows)
    return counts


async def test_list_new_by_day(tx: dal.Session) -> None:
    end, tenth, eleventh, twelfth = _DAY + 3 * DAY, *(date(1731, 3, n) for n in (10, 11, 12))
    created = [_DAY + 2 * DAY, _DAY + DAY, _DAY + DAY - TICK, _DAY + 9 * _HOUR, _DAY]
    for at in created:
        await put_user(tx, user_row(created_at=at))
    await put_user(tx, user_row(created_at=_DAY + DAY, is_active=False))
    await put_user(tx, user_row(created_at=_DAY + DAY, deleted_at=NOW))
    every = {tenth: 3, eleventh: 2, twelfth: 1}
    assert await by_day(tx, _DAY, end) == every
    assert await by_day(tx, _DAY, end, limit_rows=2) == {tenth: 3, eleventh: 2}
    # The start is counted, the end is not.
    assert await by_day(tx, _DAY + TICK, end) == {**every, tenth: 2}
    assert await by_day(tx, _DAY, _DAY + 2 * DAY) == {tenth: 3, eleventh: 2}
    assert await by_day(tx, _DAY, _DAY + 2 * DAY + TICK) == every
    assert await by_day(tx, _DAY, _DAY) == {}
    assert await by_day(tx, end, end + DAY) == {}


@pytest.mark.parametrize(
    "offset",
    [timedelta(hours=h, minutes=m) for h, m in ((5, 45), (14, 0), (0, 0), (-9, -30), (-12, 0))],
)
async def test_list_new_by_day_of_local_time(tx: dal.Session, offset: timedelta) -> None:
    # A day begins at midnight there, to the microsecond.
    midnight = _DAY + DAY - offset
    for at in (midnight - TICK, midnight, midnight + DAY - TICK, midnight + DAY):
        await put_user(tx, user_row(created_at=at))
    seconds = int(offset.total_seconds())
    found = await by_day(tx, _DAY - DAY, _DAY + 4 * DAY, utc_offset_s=seconds)
    assert found == {date(1731, 3, 10): 1, date(1731, 3, 11): 2, date(1731, 3, 12): 1}
    only = await by_day(tx, midnight, midnight + DAY, utc_offset_s=seconds)
    assert only == {date(1731, 3, 11): 2}


async def test_find_window_end(tx: dal.Session) -> None:
    users, start, first = UsersGateway(tx), uuid4().int // 2, START_OF_TIME + 400 * DAY
    # Older than all others. Three share their time, so the id breaks the tie.
    made = {
        n: user_row(id=UUID(int=start + n), created_at=first + at * TICK)
        for n, at in ((5, 0), (3, 1), (1, 1), (2, 1), (4, 2))
    }
    for row in made.values():
        await put_user(tx, row)
        await put_user(tx, alike(row, deleted_at=NOW))
    order = [UserKey(made[n].created_at, made[n].id) for n in (4, 3, 2, 1, 5)]
    for i, before in enumerate([UserKey(first + DAY, MAX_ID), *order]):
        for window_rows in (1, 2, 3, 4, 5, 6, 500):
            found = await users.find_window_end(
                before_at=before.created_at, before_id=before.id, window_rows=window_rows
            )
            window = order[i:][:window_rows]
            assert found == (window[-1] if window else None)
    newest = await put_user(tx, user_row(created_at=END_OF_TIME - DAY))
    key = UserKey(newest.created_at, newest.id)
    assert await users.find_window_end(window_rows=1, **FIRST) == key


# Admins and locks -------------------------------------------------------------------------------


async def put_near_admins(tx: dal.Session) -> tuple[UserRow, list[UserRow]]:
    """An admin, and those who are none, each for one reason alone."""
    admin = await put_user(tx, user_row(role=ADMIN))
    near: list[dict[str, Any]] = [
        {"is_active": False}, {"deleted_at": NOW}, {"role": USER}, {"role": VIEWER}
    ]  # fmt: skip
    return admin, [await put_user(tx, alike(admin, **change)) for change in near]


async def test_exists_admin(tx: dal.Session) -> None:
    users, (admin, near) = UsersGateway(tx), await put_near_admins(tx)
    assert await users.exists_admin(actor_id=admin.id) is True
    for row in near:
        assert await users.exists_admin(actor_id=row.id) is False
    assert await users.exists_admin(actor_id=uuid4()) is False


async def test_lock_admin(tx: dal.Session) -> None:
    users, (admin, near) = UsersGateway(tx), await put_near_admins(tx)
    assert await users.lock_admin(actor_id=admin.id) == admin.id
    for row in near:
        assert await users.lock_admin(actor_id=row.id) is None
    assert await users.lock_admin(actor_id=uuid4()) is None


async def test_lock_admins(tx: dal.Session) -> None:
    users, start = UsersGateway(tx), uuid4().int // 2
    before = await users.lock_admins(limit_rows=999)
    # Older than all others. Two share their time, so the id breaks the tie.
    made = {
        n: user_row(id=UUID(int=start + n), role=ADMIN, created_at=START_OF_TIME + (400 + at) * DAY)
        for n, at in ((4, 0), (3, 1), (1, 2), (2, 1))
    }
    for row in made.values():
        await put_user(tx, row)
        for change in ({"is_active": False}, {"deleted_at": NOW}, {"role": USER}):
            await put_user(tx, alike(row, **change))
    expected = [*(made[n].id for n in (4, 2, 3, 1)), *before]
    assert await users.lock_admins(limit_rows=999) == expected
    for limit in (1, 2, 3, 4):
        assert await users.lock_admins(limit_rows=limit) == expected[:limit]


async def test_lock_by_id(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), await put_user(tx, user_row())
    deleted = await put_user(tx, alike(row, deleted_at=NOW))
    inactive = await put_user(tx, alike(row, is_active=False))
    assert await users.lock_by_id(user_id=row.id) == row.user
    assert await users.lock_by_id(user_id=inactive.id) == inactive.user
    assert await users.lock_by_id(user_id=deleted.id) is None
    assert await users.lock_by_id(user_id=uuid4()) is None


async def test_lock_live(tx: dal.Session) -> None:
    users, user_id = UsersGateway(tx), await user(tx)
    await user(tx)
    assert await users.lock_live(user_id=user_id) == user_id
    assert await users.lock_live(user_id=uuid4()) is None
    await users.soft_delete(user_id=user_id, now=NOW)
    assert await users.lock_live(user_id=user_id) is None


async def test_lock_preferences(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), await put_user(tx, user_row(preferences=PREFERENCES))
    await put_user(tx, user_row())
    deleted = await put_user(tx, alike(row, deleted_at=NOW))
    assert same(await users.lock_preferences(user_id=row.id), PREFERENCES)
    assert await users.lock_preferences(user_id=deleted.id) is None
    assert await users.lock_preferences(user_id=uuid4()) is None


# What NOWAIT says: MariaDB, MySQL.
NOT_AT_ONCE = (1205, 3572)
# Whether others may not even read the row under a lock.
EXCLUSIVE = {
    "lock_admin": False,
    "lock_admins": True,
    "lock_by_id": True,
    "lock_live": False,
    "lock_preferences": True,
}


async def take(session: dal.Session, method: str, user_id: UUID) -> object:
    users = UsersGateway(session)
    if method == "lock_admins":
        return await users.lock_admins(limit_rows=999)
    key = "actor_id" if method == "lock_admin" else "user_id"
    return await getattr(users, method)(**{key: user_id})


def test_every_lock_is_tried() -> None:
    methods = {name for name, _ in inspect.getmembers(UsersGateway, inspect.isfunction)}
    assert {name for name in methods if name.startswith("lock_")} == EXCLUSIVE.keys()


@pytest.mark.parametrize("method", EXCLUSIVE)
async def test_a_lock_needs_a_transaction(system: dal.Session, method: str) -> None:
    with pytest.raises(dal.UsageError, match="only a transaction"):
        await take(system, method, uuid4())


def is_free(cursor: Cursor, user_id: UUID, lock: str) -> bool:
    """Whether somebody else can lock the row in this way at once."""
    try:
        cursor.execute(f"SELECT 1 FROM users WHERE id = _binary %s {lock}", (user_id.bytes,))
    except pymysql.OperationalError as error:
        if error.args[0] not in NOT_AT_ONCE:
            raise
        return False
    return True


@pytest.mark.parametrize(("method", "exclusive"), EXCLUSIVE.items())
async def test_a_lock_holds_the_row(
    system: dal.Session, admin: Config, engine: Engine, method: str, exclusive: bool
) -> None:
    shared = {"mariadb": "LOCK IN SHARE MODE NOWAIT", "mysql": "FOR SHARE NOWAIT"}[engine]
    # Committed, so that nothing but the lock is in the way of others.
    row = await put_user(system, user_row(role=ADMIN))
    with closing(connect(admin)) as root, root.cursor() as cursor:
        try:
            async with system.begin() as tx:
                assert is_free(cursor, row.id, "FOR UPDATE NOWAIT")
                assert await take(tx, method, row.id)
                assert not is_free(cursor, row.id, "FOR UPDATE NOWAIT")
                assert is_free(cursor, row.id, shared) is not exclusive
            assert is_free(cursor, row.id, "FOR UPDATE NOWAIT")
        finally:
            cursor.execute("DELETE FROM users WHERE id = _binary %s", (row.id.bytes,))


# Rows are written -------------------------------------------------------------------------------


async def test_insert(tx: dal.Session) -> None:
    users, other = UsersGateway(tx), await put_user(tx, user_row())
    values: dict[str, Any] = {
        "user_id": uuid4(), "email": f"{uuid4()}é@x.example", "full_name": "Zoë \U0001f600",
        "role": VIEWER, "password_hash": HASH, "now": NOW,
    }  # fmt: skip
    assert await users.insert(**values) == 1
    expected = UserRow(
        id=values["user_id"],
        email=values["email"],
        full_name="Zoë \U0001f600",
        role=VIEWER,
        is_active=True,
        email_verified_at=None,
        password_hash=HASH,
        credentials_changed_at=NOW,
        failed_logins=0,
        locked_until=None,
        last_login_at=None,
        preferences={},
        created_at=NOW,
        updated_at=NOW,
        deleted_at=None,
    )
    assert await stored_user(tx, expected.id) == expected
    assert await users.find_by_id(user_id=expected.id) == expected.user
    check_account(await users.find_account(email=expected.email), expected)
    assert await users.find_preferences(user_id=expected.id) == UserPreferences({})
    assert await stored_user(tx, other.id) == other
    # Without a password.
    for role in dal.Role:
        more = {"user_id": uuid4(), "email": f"{uuid4()}@x.example", "role": role}
        assert await users.insert(**{**values, **more, "password_hash": None}) == 1
        account = await users.find_account(email=str(more["email"]))
        assert account is not None
        assert account.role is role
        assert account.password_hash is None


async def test_insert_what_is_there(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), await put_user(tx, user_row())
    values: dict[str, Any] = {
        "user_id": uuid4(), "email": row.email, "full_name": "", "role": USER,
        "password_hash": None, "now": NOW,
    }  # fmt: skip
    with pytest.raises(dal.UniqueError) as caught:
        await users.insert(**values)
    assert caught.value.constraint == "uq_users_email_live"
    with pytest.raises(dal.UniqueError) as caught:
        await users.insert(**{**values, "user_id": row.id, "email": "other@x.example"})
    assert caught.value.constraint == "PRIMARY"
    with pytest.raises(dal.ValueRejectedError) as refused:
        await users.insert(**{**values, "email": "other@x.example", "role": "owner"})
    assert refused.value.field == "role"
    assert await stored_user(tx, row.id) == row
    # Who is deleted has given their address up.
    await users.soft_delete(user_id=row.id, now=NOW)
    assert await users.insert(**values) == 1


async def test_soft_delete(tx: dal.Session) -> None:
    users = UsersGateway(tx)
    # The time of the last change never goes back.
    for now, updated_at in ((NOW, NOW), (NOW - 9 * DAY, user_row().updated_at)):
        row = await put_user(tx, user_row())
        other = await put_user(tx, alike(row))
        assert await users.soft_delete(user_id=row.id, now=now) == 1
        deleted = attrs.evolve(row, deleted_at=now, updated_at=updated_at)
        assert await stored_user(tx, row.id) == deleted
        # The time of the deletion stays what it was.
        assert await users.soft_delete(user_id=row.id, now=LATER) == 0
        assert await users.soft_delete(user_id=uuid4(), now=LATER) == 0
        assert await stored_user(tx, row.id) == deleted
        assert await stored_user(tx, other.id) == other


async def test_restore(tx: dal.Session) -> None:
    users = UsersGateway(tx)
    for now, updated_at in ((NOW, NOW), (NOW - 9 * DAY, user_row().updated_at)):
        row = await put_user(tx, user_row(deleted_at=NOW - DAY))
        live = await put_user(tx, alike(row, deleted_at=None))
        other = await put_user(tx, alike(row))
        assert await users.restore(user_id=row.id, now=now) == 1
        restored = attrs.evolve(row, deleted_at=None, updated_at=updated_at)
        assert await stored_user(tx, row.id) == restored
        assert await users.restore(user_id=row.id, now=LATER) == 0
        assert await users.restore(user_id=live.id, now=LATER) == 0
        assert await users.restore(user_id=uuid4(), now=LATER) == 0
        assert await stored_user(tx, row.id) == restored
        assert await stored_user(tx, live.id) == live
        assert await stored_user(tx, other.id) == other


async def test_restore_where_the_address_is_taken(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), await put_user(tx, user_row(deleted_at=NOW))
    await put_user(tx, alike(row, email=row.email, deleted_at=None))
    with pytest.raises(dal.UniqueError) as caught:
        await users.restore(user_id=row.id, now=LATER)
    assert caught.value.constraint == "uq_users_email_live"
    assert await stored_user(tx, row.id) == row


# Log-ins are counted ----------------------------------------------------------------------------


async def fail(tx: dal.Session, user_id: UUID, *, now: datetime = NOW, most: int = 3) -> int | None:
    return await UsersGateway(tx).record_failure(
        user_id=user_id, max_failures=most, lock_until=now + DAY, now=now
    )


async def test_record_failure(tx: dal.Session) -> None:
    fresh = user_row(failed_logins=0, locked_until=None)
    row, other = await put_user(tx, fresh), await put_user(tx, alike(fresh))
    for n in (1, 2):
        assert await fail(tx, row.id) == n
        assert await stored_user(tx, row.id) == attrs.evolve(row, failed_logins=n)
    assert await fail(tx, row.id) == 3
    locked = attrs.evolve(row, failed_logins=3, locked_until=NOW + DAY)
    assert await stored_user(tx, row.id) == locked
    # While it is locked nothing is counted, and the lock does not grow.
    for now in (NOW, NOW + DAY - TICK):
        assert await fail(tx, row.id, now=now) is None
        assert await stored_user(tx, row.id) == locked
    # The lock has ended at the time that it names: counted from one again.
    assert await fail(tx, row.id, now=NOW + DAY) == 1
    assert await stored_user(tx, row.id) == attrs.evolve(row, failed_logins=1, locked_until=None)
    assert await fail(tx, row.id, now=NOW + DAY) == 2
    assert await stored_user(tx, row.id) == attrs.evolve(row, failed_logins=2, locked_until=None)
    assert await stored_user(tx, other.id) == other


async def test_record_failure_long_after_a_lock(tx: dal.Session) -> None:
    row = await put_user(tx, user_row(failed_logins=3, locked_until=NOW - DAY))
    assert await fail(tx, row.id) == 1
    assert await stored_user(tx, row.id) == attrs.evolve(row, failed_logins=1, locked_until=None)


async def test_record_failure_where_the_first_locks(tx: dal.Session) -> None:
    row = await put_user(tx, user_row(failed_logins=0, locked_until=None))
    for now in (NOW, NOW + DAY):
        assert await fail(tx, row.id, most=1, now=now) == 1
        locked = attrs.evolve(row, failed_logins=1, locked_until=now + DAY)
        assert await stored_user(tx, row.id) == locked
        assert await fail(tx, row.id, most=1, now=now) is None
        assert await stored_user(tx, row.id) == locked


async def test_record_failure_where_fewer_are_allowed_by_now(tx: dal.Session) -> None:
    row = await put_user(tx, user_row(failed_logins=7, locked_until=None))
    assert await fail(tx, row.id) == 8
    locked = attrs.evolve(row, failed_logins=8, locked_until=NOW + DAY)
    assert await stored_user(tx, row.id) == locked


async def test_record_failure_of_who_may_not_log_in(tx: dal.Session) -> None:
    inactive = await put_user(
        tx, user_row(failed_logins=0, locked_until=None, is_active=False, password_hash=None)
    )
    deleted = await put_user(tx, alike(inactive, deleted_at=NOW, is_active=True))
    # Counted, so that an answer does not tell who is active.
    assert await fail(tx, inactive.id) == 1
    assert await stored_user(tx, inactive.id) == attrs.evolve(inactive, failed_logins=1)
    assert await fail(tx, deleted.id) is None
    assert await stored_user(tx, deleted.id) == deleted


async def test_record_failure_repeats_no_number_of_another(tx: dal.Session) -> None:
    row = await put_user(tx, user_row(failed_logins=40, locked_until=None))
    locked = await put_user(tx, alike(row, locked_until=LATER))
    deleted = await put_user(tx, alike(row, deleted_at=NOW))
    for n in (41, 42):
        assert await fail(tx, row.id, most=99) == n
        for stranger in (locked.id, deleted.id, uuid4()):
            assert await fail(tx, stranger, most=99) is None
    fresh = await put_user(tx, alike(row, failed_logins=0))
    assert await fail(tx, fresh.id, most=99) == 1
    assert await fail(tx, row.id, most=99) == 43


KNOWN = NOW - 4 * DAY


def log_in(known_updated_at: datetime = KNOWN, now: datetime = NOW) -> Change:
    return lambda users, user_id: users.record_login(
        user_id=user_id, known_updated_at=known_updated_at, password_hash="$argon2id$New", now=now
    )


async def test_record_login(tx: dal.Session) -> None:
    """``last_login_at`` never goes back, and a lock that ends now is no obstacle."""
    for last, now, expected in (
        (None, NOW, NOW),
        (NOW - DAY, NOW, NOW),
        (NOW + DAY, NOW, NOW + DAY),
        # Not before the credentials were changed either.
        (None, NOW - 8 * DAY, NOW - 7 * DAY),
    ):
        for locked_until in (None, now - DAY, now):
            before = user_row(last_login_at=last, locked_until=locked_until)
            await check_change(
                tx, log_in(now=now), before=before, failed_logins=0, locked_until=None,
                last_login_at=expected, password_hash="$argon2id$New",
            )  # fmt: skip


async def test_record_login_without_a_new_hash(tx: dal.Session) -> None:
    for _ in range(2):
        await check_change(
            tx,
            lambda users, user_id: users.record_login(
                user_id=user_id, known_updated_at=KNOWN, password_hash=None, now=LATER
            ),
            before=user_row(),
            failed_logins=0,
            locked_until=None,
            last_login_at=LATER,
        )


@pytest.mark.parametrize(
    "change",
    [
        {"locked_until": LATER},
        {"is_active": False},
        {"deleted_at": NOW - DAY},
        {"password_hash": None},
        {"updated_at": KNOWN + TICK},
        {"updated_at": KNOWN - TICK},
    ],
)
async def test_record_login_of_another_state(tx: dal.Session, change: dict[str, Any]) -> None:
    row = await put_user(tx, user_row(**change))
    assert await log_in()(UsersGateway(tx), row.id) == 0
    assert await stored_user(tx, row.id) == row


async def test_unlock(tx: dal.Session) -> None:
    for locked_until in (NOW + DAY, NOW - DAY):
        await check_change(
            tx,
            lambda users, user_id: users.unlock(user_id=user_id, changed_at=LATER),
            before=user_row(locked_until=locked_until),
            failed_logins=0,
            locked_until=None,
            updated_at=LATER,
        )


# Columns are updated ----------------------------------------------------------------------------


async def test_update_activity(tx: dal.Session) -> None:
    for is_active in (False, True):

        async def change(users: UsersGateway, user_id: UUID, to: bool = is_active) -> int:
            return await users.update_activity(user_id=user_id, is_active=to, changed_at=LATER)

        await check_change(
            tx,
            change,
            before=user_row(is_active=not is_active),
            is_active=is_active,
            credentials_changed_at=LATER,
            updated_at=LATER,
        )


async def test_update_details(tx: dal.Session) -> None:
    for verified_at in (NOW - 2 * DAY, None):
        email = f"{uuid4()}é@x.example"

        async def change(
            users: UsersGateway, user_id: UUID, to: str = email, at: datetime | None = verified_at
        ) -> int:
            return await users.update_details(
                user_id=user_id, email=to, full_name="Ada", email_verified_at=at, changed_at=LATER
            )

        before = user_row()
        await check_change(
            tx, change, before=before, email=email, full_name="Ada",
            email_verified_at=verified_at, updated_at=LATER,
        )  # fmt: skip
        # The row is found by the new address, and the old one is free.
        found = await UsersGateway(tx).find_by_email(email=email)
        assert found is not None
        assert found.id == before.id
        assert await UsersGateway(tx).find_by_email(email=before.email) is None


async def test_update_details_where_the_address_is_taken(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), await put_user(tx, user_row())
    live, gone = await put_user(tx, alike(row)), await put_user(tx, alike(row, deleted_at=NOW))
    values: dict[str, Any] = {
        "user_id": row.id, "full_name": "A", "email_verified_at": None, "changed_at": LATER
    }  # fmt: skip
    with pytest.raises(dal.UniqueError) as caught:
        await users.update_details(email=live.email, **values)
    assert caught.value.constraint == "uq_users_email_live"
    assert await stored_user(tx, row.id) == row
    # One's own is not taken, nor is that of who is deleted.
    assert await users.update_details(email=row.email, **values) == 1
    assert await users.update_details(email=gone.email, **values) == 1
    assert await stored_user(tx, live.id) == live
    assert await stored_user(tx, gone.id) == gone


async def test_update_email_verified(tx: dal.Session) -> None:
    for verified_at in (NOW - 2 * DAY, None):

        async def change(
            users: UsersGateway, user_id: UUID, at: datetime | None = verified_at
        ) -> int:
            return await users.update_email_verified(
                user_id=user_id, email_verified_at=at, changed_at=LATER
            )

        await check_change(tx, change, email_verified_at=verified_at, updated_at=LATER)


async def test_update_password(tx: dal.Session) -> None:
    for known in ("$argon2id$Kept", None):
        await check_change(
            tx,
            lambda users, user_id: users.update_password(
                user_id=user_id, password_hash=HASH, changed_at=LATER
            ),
            before=user_row(password_hash=known, locked_until=NOW + DAY),
            password_hash=HASH,
            failed_logins=0,
            locked_until=None,
            credentials_changed_at=LATER,
            updated_at=LATER,
        )


async def test_update_preferences(tx: dal.Session) -> None:
    """It is no change of the account: ``updated_at`` stays."""
    for preferences in (PREFERENCES, {}):
        before = user_row()

        async def change(
            users: UsersGateway, user_id: UUID, to: dict[str, Any] = preferences
        ) -> int:
            return await users.update_preferences(user_id=user_id, preferences=to)

        await check_change(tx, change, before=before, preferences=preferences)
        assert same(await UsersGateway(tx).find_preferences(user_id=before.id), preferences)
        # A row that already has them counts as one that matched.
        assert await change(UsersGateway(tx), before.id) == 1


async def test_update_role(tx: dal.Session) -> None:
    for role in (ADMIN, USER):

        async def change(users: UsersGateway, user_id: UUID, to: dal.Role = role) -> int:
            return await users.update_role(user_id=user_id, role=to, changed_at=LATER)

        await check_change(tx, change, role=role, credentials_changed_at=LATER, updated_at=LATER)
    row = await put_user(tx, user_row())
    with pytest.raises(dal.ValueRejectedError) as refused:
        await UsersGateway(tx).update_role(user_id=row.id, role="owner", changed_at=LATER)  # type: ignore[arg-type]
    assert refused.value.field == "role"
    assert await stored_user(tx, row.id) == row
