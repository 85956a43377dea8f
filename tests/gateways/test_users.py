"""sql/users/ through UsersGateway.

A write is given a row in which every column has a value that no statement writes by chance. What
it leaves is compared as a whole row: :func:`check_change`.
"""

from __future__ import annotations

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
from dal.records.users import Account, UserPreferences
from dal.server import Engine
from tests.gateways.helpers import (
    AS_SYSTEM,
    NOW,
    UserRow,
    columns,
    put_user,
    stored_user,
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


def check_account(account: Account | None, row: UserRow) -> None:
    """The account is the row, and its hash is nowhere to be seen."""
    assert account is not None
    assert account.user == row.user
    assert account.failed_logins == row.failed_logins
    assert account.password_hash == row.password_hash == HASH
    for shown in (repr(account), str(account), f"{account}", repr([account]), repr(account.user)):
        assert HASH not in shown
        assert "password_hash" not in shown


# Many rows are read -----------------------------------------------------------------------------


# Clocks go forward only, so nobody else creates users then.
_DAY = datetime(1731, 3, 10, tzinfo=UTC)


async def by_day(tx: dal.Session, start: datetime, end: datetime, **more: int) -> dict[date, int]:
    values = {"utc_offset_s": 0, "limit_rows": 99, **more}
    rows = await UsersGateway(tx).list_new_by_day(from_at=start, until_at=end, **values)
    counts = {row.day: row.users for row in rows}
    assert list(counts) == sorted(counts)
    assert len(counts) == len(rows)
    return counts


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


# Admins and locks -------------------------------------------------------------------------------


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
    assert await users.find_by_id(user_id=expected.id, **AS_SYSTEM) == expected.user
    check_account(await users.find_account(email=expected.email), expected)
    assert await users.find_preferences(user_id=expected.id, **AS_SYSTEM) == UserPreferences({})
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


# Columns are updated ----------------------------------------------------------------------------


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
