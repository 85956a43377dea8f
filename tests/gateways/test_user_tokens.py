"""sql/user_tokens/ through UserTokensGateway."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.config import Config
from dal.gateways import UsersGateway, UserTokensGateway
from dal.provision import connect
from tests.gateways.helpers import (
    NOW,
    TokenRow,
    columns,
    put_token,
    stored_tokens,
    user,
)

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
RESET, VERIFY = dal.TokenPurpose.PASSWORD_RESET, dal.TokenPurpose.EMAIL_VERIFICATION


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    assert await columns(tx, "user_tokens") == {field.name for field in attrs.fields(TokenRow)}
    row = token_row(await user(tx))
    await put_token(tx, row)
    assert await stored_tokens(tx, row.user_id) == [row]


def a_hash() -> bytes:
    """A hash that no other token has."""
    return uuid4().bytes + uuid4().bytes


def token_row(user_id: UUID, **changes: Any) -> TokenRow:
    row = TokenRow(
        user_id=user_id,
        purpose=RESET,
        token_hash=a_hash(),
        created_at=NOW - DAY,
        expires_at=NOW + DAY,
    )
    return attrs.evolve(row, **changes)


async def issue(tx: dal.Session, row: TokenRow) -> int:
    return await UserTokensGateway(tx).upsert(
        user_id=row.user_id,
        purpose=row.purpose,
        token_hash=row.token_hash,
        now=row.created_at,
        expires_at=row.expires_at,
    )


async def holder(tx: dal.Session, row: TokenRow, *, now: datetime = NOW) -> UUID | None:
    return await UserTokensGateway(tx).find_holder(
        token_hash=row.token_hash, purpose=row.purpose, now=now
    )


async def test_upsert(tx: dal.Session) -> None:
    user_id, other_id = await user(tx), await user(tx)
    # By purpose, as they are stored: first in the type, first in the list.
    old, verify = token_row(user_id), token_row(user_id, purpose=VERIFY)
    others = [token_row(other_id), token_row(other_id, purpose=VERIFY)]
    for row in (old, verify, *others):
        assert await issue(tx, row) == 1
    assert await stored_tokens(tx, user_id) == [old, verify]
    # A new one is in the place of the old one, which finds nobody any more.
    new = token_row(user_id, created_at=NOW, expires_at=NOW + 2 * DAY)
    # That is how both servers count a row that was there.
    assert await issue(tx, new) == 2
    assert await stored_tokens(tx, user_id) == [new, verify]
    assert await stored_tokens(tx, other_id) == others
    assert await holder(tx, old) is None
    assert await holder(tx, new) == user_id
    # The times go back when they are told to: the last one who writes is right.
    assert await issue(tx, old) == 2
    assert await stored_tokens(tx, user_id) == [old, verify]
    assert await holder(tx, new) is None


async def test_upsert_for_nobody(tx: dal.Session) -> None:
    row = token_row(uuid4())
    with pytest.raises(dal.ParentMissingError) as missing:
        await issue(tx, row)
    assert missing.value.constraint == "fk_user_tokens_user"
    assert await stored_tokens(tx, row.user_id) == []


async def test_upsert_of_a_hash_that_another_has(tx: dal.Session) -> None:
    row, mine = token_row(await user(tx)), token_row(await user(tx))
    await issue(tx, row)
    await issue(tx, mine)
    with pytest.raises(dal.UniqueError) as caught:
        await issue(tx, attrs.evolve(mine, token_hash=row.token_hash))
    assert caught.value.constraint == "uq_user_tokens_hash"
    assert await stored_tokens(tx, row.user_id) == [row]
    assert await stored_tokens(tx, mine.user_id) == [mine]


async def test_upsert_of_what_does_not_fit(tx: dal.Session) -> None:
    row = token_row(await user(tx))
    for n_bytes in (31, 33):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await issue(tx, attrs.evolve(row, token_hash=b"h" * n_bytes))
        assert refused.value.field == "token_hash"
    with pytest.raises(dal.ValueRejectedError) as refused:
        await issue(tx, attrs.evolve(row, purpose="log_in"))  # type: ignore[arg-type]
    assert refused.value.field == "purpose"
    assert await stored_tokens(tx, row.user_id) == []


async def test_find_holder_who_is_deleted_or_inactive(tx: dal.Session) -> None:
    users, row = UsersGateway(tx), token_row(await user(tx))
    await put_token(tx, row)
    await users.update_activity(user_id=row.user_id, is_active=False, changed_at=NOW)
    assert await holder(tx, row) is None
    await users.update_activity(user_id=row.user_id, is_active=True, changed_at=NOW)
    assert await holder(tx, row) == row.user_id
    # A deletion does not touch the token, and the token is back with its user.
    await users.soft_delete(user_id=row.user_id, now=NOW)
    assert await holder(tx, row) is None
    assert await stored_tokens(tx, row.user_id) == [row]
    await users.restore(user_id=row.user_id, now=NOW)
    assert await holder(tx, row) == row.user_id


@attrs.frozen
class Case:
    """Two users, each with a token for each purpose, those for the password first."""

    tokens: UserTokensGateway
    mine: list[TokenRow]
    others: list[TokenRow]

    async def check_left(self, tx: dal.Session, *mine: TokenRow) -> None:
        assert await stored_tokens(tx, self.mine[0].user_id) == list(mine)
        assert await stored_tokens(tx, self.others[0].user_id) == self.others


@pytest.fixture
async def case(tx: dal.Session) -> Case:
    made = []
    for user_id in (await user(tx), await user(tx)):
        rows = [token_row(user_id, purpose=purpose) for purpose in (RESET, VERIFY)]
        made.append([await put_token(tx, row) for row in rows])
    return Case(UserTokensGateway(tx), *made)


async def test_consume(tx: dal.Session, case: Case) -> None:
    reset, verify = case.mine

    async def use(row: TokenRow, *, now: datetime = NOW) -> int:
        return await case.tokens.consume(token_hash=row.token_hash, purpose=row.purpose, now=now)

    # A wrong hash, one that is good for something else, one that has expired.
    assert await use(attrs.evolve(reset, token_hash=a_hash())) == 0
    assert await use(attrs.evolve(reset, purpose=VERIFY)) == 0
    assert await use(attrs.evolve(verify, purpose=RESET)) == 0
    assert await use(reset, now=reset.expires_at) == 0
    assert await use(reset, now=reset.expires_at + TICK) == 0
    await case.check_left(tx, reset, verify)
    assert await use(reset, now=reset.expires_at - TICK) == 1
    await case.check_left(tx, verify)
    assert await use(reset) == 0
    assert await use(verify) == 1
    await case.check_left(tx)


async def test_a_removed_user_takes_their_tokens_along(system: dal.Session, admin: Config) -> None:
    # Only root removes users, so the rows are committed.
    removed, kept = token_row(await user(system)), token_row(await user(system))
    with closing(connect(admin)) as root, root.cursor() as cursor:

        def remove(row: TokenRow) -> None:
            cursor.execute("DELETE FROM users WHERE id = _binary %s", (row.user_id.bytes,))

        try:
            await put_token(system, removed)
            await put_token(system, attrs.evolve(removed, purpose=VERIFY, token_hash=a_hash()))
            await put_token(system, kept)
            remove(removed)
            assert await stored_tokens(system, removed.user_id) == []
            assert await stored_tokens(system, kept.user_id) == [kept]
        finally:
            remove(removed)
            remove(kept)
