"""Links to conversations: what the contract and the machine do not say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

import dal
from dal.records.page import encode_cursor
from tests.conftest import new_user


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


@pytest.fixture
async def shared(me: dal.Session) -> dal.Conversation:
    """A conversation of five prompts."""
    made = await me.conversations.create(title="Shared")
    for n in range(1, 6):
        await me.prompts.create(made.id, user_input=f"question {n}", response=f"answer {n}")
    return made


async def test_a_hundred_viewers_of_ten_views(
    db: dal.Database, me: dal.Session, shared: dal.Conversation
) -> None:
    made = await me.conversations.shares.create(shared.id, max_views=12)
    stranger = db.acting_as(dal.Actor.anonymous())
    for _ in range(2):
        await stranger.conversations.shares.open(made.token)

    async def view() -> bool:
        try:
            opened = await stranger.conversations.shares.open(made.token)
        except dal.NotFoundError:
            return False
        return len(opened.prompts.rows) == 5

    got_in = await asyncio.gather(*(view() for _ in range(100)))
    assert sum(got_in) == 10
    (row,) = (await me.conversations.shares.list_of(shared.id)).rows
    assert (row.view_count, row.max_views) == (12, 12)


async def test_one_who_opens_while_it_is_revoked_got_in_before_or_not_at_all(
    db: dal.Database, me: dal.Session, shared: dal.Conversation
) -> None:
    stranger = db.acting_as(dal.Actor.anonymous())
    for _ in range(5):
        made = await me.conversations.shares.create(shared.id)
        *seen, gone = await asyncio.gather(
            *(stranger.conversations.shares.open(made.token) for _ in range(8)),
            me.conversations.soft_delete(shared.id),
            return_exceptions=True,
        )
        assert gone is None
        got_in = sum(isinstance(one, dal.OpenedShare) for one in seen)
        assert all(isinstance(one, (dal.OpenedShare, dal.NotFoundError)) for one in seen)
        await me.conversations.restore(shared.id)
        row = (await me.conversations.shares.list_of(shared.id)).rows[0]
        assert (row.id, row.view_count) == (made.share.id, got_in)
        with pytest.raises(dal.NotFoundError):
            await stranger.conversations.shares.open(made.token)


async def test_who_was_let_in_reads_to_the_end_and_nobody_else(
    db: dal.Database, me: dal.Session, shared: dal.Conversation, clock: dal.ManualClock
) -> None:
    made = await me.conversations.shares.create(shared.id, through_sequence=4, max_views=1)
    other = await me.conversations.shares.create(shared.id)
    shares = db.acting_as(dal.Actor.anonymous()).conversations.shares
    opened = await shares.open(made.token, limit=2)
    inputs = [prompt.user_input for prompt in opened.prompts.rows]
    after = opened.prompts.next
    assert after is not None
    page = await shares.read_on(made.token, after=after, limit=1)
    rest = await shares.read_on(made.token, after=page.next or "", limit=1)
    inputs += [prompt.user_input for prompt in (*page.rows, *rest.rows)]
    assert inputs == [f"question {n}" for n in range(1, 5)]
    assert rest.next is None
    with pytest.raises(dal.NotFoundError):
        await shares.open(made.token)
    made_up = encode_cursor("conversations.shares.read_on", (0, clock.now(), uuid4()))
    for wrong in (made_up, "", after[:-1]):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await shares.read_on(made.token, after=wrong)
        assert refused.value.field == "after"
    with pytest.raises(dal.ValueRejectedError):
        await shares.read_on(other.token, after=after)
    clock.move(timedelta(hours=1))
    with pytest.raises(dal.ValueRejectedError, match="open the share again"):
        await shares.read_on(made.token, after=after)


async def test_what_is_asked_later_is_not_shown_until_it_is_said(
    db: dal.Database, me: dal.Session, shared: dal.Conversation
) -> None:
    made = await me.conversations.shares.create(shared.id)
    shares = db.acting_as(dal.Actor.anonymous()).conversations.shares
    later = await me.prompts.create(shared.id, user_input="later")
    (second,) = [p for p in (await me.prompts.list_of(shared.id)).rows if p.sequence_number == 2]
    await me.prompts.soft_delete(second.id)
    shown = (await shares.open(made.token)).prompts.rows
    assert [prompt.sequence_number for prompt in shown] == [1, 3, 4, 5]
    await me.conversations.shares.extend(
        made.share.id, through_sequence=later.sequence_number, max_views=None
    )
    shown = (await shares.open(made.token)).prompts.rows
    assert [prompt.sequence_number for prompt in shown] == [1, 3, 4, 5, 6]
    with pytest.raises(dal.ValueRejectedError) as refused:
        await me.conversations.shares.extend(made.share.id, through_sequence=7)
    assert refused.value.field == "through_sequence"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("scope", "public"), ("scope", None), ("through_sequence", -1), ("through_sequence", 6),
        ("through_sequence", True), ("valid_for", timedelta(0)), ("valid_for", 30),
        ("valid_for", timedelta(days=3651)), ("max_views", 0), ("max_views", 2**32),
        ("max_views", 1.0),
    ],
)  # fmt: skip
async def test_what_cannot_be_stored_is_named(
    me: dal.Session, shared: dal.Conversation, field: str, wrong: object
) -> None:
    given: dict[str, Any] = {field: wrong}
    with pytest.raises(dal.ValueRejectedError) as refused:
        await me.conversations.shares.create(shared.id, **given)
    assert refused.value.field == field
    assert (await me.conversations.shares.list_of(shared.id)).rows == ()


async def test_views_that_were_had_are_not_taken_back(
    db: dal.Database, me: dal.Session, shared: dal.Conversation
) -> None:
    made = await me.conversations.shares.create(shared.id)
    stranger = db.acting_as(dal.Actor.anonymous()).conversations.shares
    for _ in range(3):
        await stranger.open(made.token)
    changed = await me.conversations.shares.extend(made.share.id, max_views=1)
    assert (changed.max_views, changed.view_count) == (3, 3)
    with pytest.raises(dal.NotFoundError):
        await stranger.open(made.token)
    # The same again is no change, and no error.
    assert await me.conversations.shares.extend(made.share.id, max_views=1) == changed


async def test_a_token_is_nowhere_but_with_who_made_it(
    me: dal.Session, shared: dal.Conversation
) -> None:
    made = await me.conversations.shares.create(shared.id)
    token = made.token.reveal()
    assert len(token) >= 43
    assert token not in repr(made)
    again = await me.conversations.shares.create(shared.id)
    assert again.token != made.token
    log = (await me.audit.list_mine(limit=500)).rows
    assert token not in repr(log)


async def test_who_is_not_active_shares_nothing(
    db: dal.Database, me: dal.Session, shared: dal.Conversation
) -> None:
    made = await me.conversations.shares.create(shared.id)
    system = db.acting_as(dal.Actor.system("tests"))
    stranger = db.acting_as(dal.Actor.anonymous()).conversations.shares
    await system.users.access.deactivate(shared.owner_id)
    with pytest.raises(dal.NotFoundError):
        await stranger.open(made.token)
    await system.users.access.activate(shared.owner_id)
    assert (await stranger.open(made.token)).share_id == made.share.id


async def test_the_shares_come_in_pages(me: dal.Session, shared: dal.Conversation) -> None:
    made = [(await me.conversations.shares.create(shared.id)).share.id for _ in range(5)]
    for door in (me.conversations.shares.list_mine, lambda **how: me.conversations.shares.list_of(
        shared.id, **how
    )):  # fmt: skip
        seen = []
        after = None
        while True:
            page = await door(limit=2, after=after)
            seen += [row.id for row in page.rows]
            after = page.next
            if after is None:
                break
        assert seen == made[::-1]
