"""sql/users/ through UsersGateway."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

import dal
from dal.gateways import UsersGateway
from tests.gateways.helpers import NOW, check_tested, user

LATER = NOW + timedelta(microseconds=1)


def test_all_of_it() -> None:
    check_tested(UsersGateway, globals())


async def test_insert(tx: dal.Session) -> None:
    users, user_id, email = UsersGateway(tx), uuid4(), f"{uuid4()}@x.example"
    assert await users.insert(user_id=user_id, email=email, full_name="Zoë", now=NOW) == 1
    expected = dal.User(user_id, email, "Zoë", NOW, NOW, None)
    assert await users.find_by_id(user_id=user_id) == expected
    with pytest.raises(dal.UniqueError) as caught:
        await users.insert(user_id=uuid4(), email=email, full_name="", now=NOW)
    assert caught.value.constraint == "uq_users_email_live"
    with pytest.raises(dal.UniqueError) as caught:
        await users.insert(user_id=user_id, email="other@x.example", full_name="", now=NOW)
    assert caught.value.constraint == "PRIMARY"


async def test_count_all(tx: dal.Session) -> None:
    users = UsersGateway(tx)
    before = await users.count_all()
    await user(tx)
    gone = await user(tx)
    assert await users.count_all() == before + 2
    await users.soft_delete(user_id=gone, now=NOW)
    assert await users.count_all() == before + 1


async def test_find_by_id(tx: dal.Session) -> None:
    users, user_id = UsersGateway(tx), await user(tx)
    found = await users.find_by_id(user_id=user_id)
    assert found is not None
    assert found.id == user_id
    await users.soft_delete(user_id=user_id, now=NOW)
    assert await users.find_by_id(user_id=user_id) is None
    assert await users.find_by_id(user_id=uuid4()) is None


async def test_find_self(tx: dal.Session) -> None:
    users, mine, other = UsersGateway(tx), await user(tx), await user(tx)
    found = await users.find_self(actor_id=mine, user_id=mine)
    assert found is not None
    assert found.id == mine
    assert await users.find_self(actor_id=mine, user_id=other) is None
    await users.soft_delete(user_id=mine, now=NOW)
    assert await users.find_self(actor_id=mine, user_id=mine) is None


async def test_find_by_email(tx: dal.Session) -> None:
    users, user_id, email = UsersGateway(tx), uuid4(), f"{uuid4()}é@x.example"
    await users.insert(user_id=user_id, email=email, full_name="", now=NOW)
    found = await users.find_by_email(email=email)
    assert found is not None
    assert found.id == user_id
    # Byte for byte: what is alike for a collation is another address.
    assert await users.find_by_email(email=email.replace("é", "e")) is None
    assert await users.find_by_email(email=email.upper()) is None
    await users.soft_delete(user_id=user_id, now=NOW)
    assert await users.find_by_email(email=email) is None


async def test_lock_live(tx: dal.Session) -> None:
    users, user_id = UsersGateway(tx), await user(tx)
    assert await users.lock_live(user_id=user_id) == user_id
    assert await users.lock_live(user_id=uuid4()) is None
    await users.soft_delete(user_id=user_id, now=NOW)
    assert await users.lock_live(user_id=user_id) is None


async def test_lock_live_needs_a_transaction(system: dal.Session) -> None:
    with pytest.raises(dal.UsageError):
        await UsersGateway(system).lock_live(user_id=uuid4())


async def test_soft_delete(tx: dal.Session) -> None:
    users, user_id, other = UsersGateway(tx), await user(tx), await user(tx)
    assert await users.soft_delete(user_id=user_id, now=LATER) == 1
    assert await users.soft_delete(user_id=user_id, now=LATER) == 0
    assert await users.soft_delete(user_id=uuid4(), now=LATER) == 0
    assert await users.find_by_id(user_id=other) is not None


async def test_restore(tx: dal.Session) -> None:
    users, user_id, email = UsersGateway(tx), uuid4(), f"{uuid4()}@x.example"
    await users.insert(user_id=user_id, email=email, full_name="U", now=NOW)
    assert await users.restore(user_id=user_id, now=LATER) == 0
    await users.soft_delete(user_id=user_id, now=NOW)
    # The time of the last change never goes back.
    assert await users.restore(user_id=user_id, now=NOW - timedelta(days=1)) == 1
    assert await users.find_by_id(user_id=user_id) == dal.User(user_id, email, "U", NOW, NOW, None)
    await users.soft_delete(user_id=user_id, now=NOW)
    await users.insert(user_id=uuid4(), email=email, full_name="V", now=NOW)
    with pytest.raises(dal.UniqueError) as caught:
        await users.restore(user_id=user_id, now=LATER)
    assert caught.value.constraint == "uq_users_email_live"
