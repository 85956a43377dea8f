"""Conversations: what their contract does not say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

import dal
from dal.records.conversations import TRANSITIONS
from tests.conftest import new_user

STATUSES = list(dal.ConversationStatus)


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


@pytest.mark.parametrize("current", STATUSES)
@pytest.mark.parametrize("wanted", STATUSES)
async def test_the_machine_of_the_status_is_closed(
    me: dal.Session, current: dal.ConversationStatus, wanted: dal.ConversationStatus
) -> None:
    made = await me.conversations.create(title="t")
    before = await me.conversations.change_status(made.id, current)
    assert before.status is current
    if wanted is current:
        assert await me.conversations.change_status(made.id, wanted) == before
    elif wanted in TRANSITIONS[current]:
        assert (await me.conversations.change_status(made.id, wanted)).status is wanted
    else:
        with pytest.raises(dal.InvalidTransitionError) as refused:
            await me.conversations.change_status(made.id, wanted)
        assert (refused.value.current, refused.value.wanted) == (current, wanted)
        assert await me.conversations.get(made.id) == before


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("title", ""), ("title", " \n"), ("title", "x" * 256), ("title", None), ("title", "\ud800"),
        ("description", "x" * 65_536), ("description", 7),
        ("context", []), ("context", {"a": object()}), ("context", {"a": "x" * 16_384}),
        ("settings", {"a b": 1}), ("settings", "{}"), ("settings", {"a": float("nan")}),
    ],
)  # fmt: skip
async def test_what_cannot_be_stored_is_named(me: dal.Session, field: str, wrong: object) -> None:
    made = await me.conversations.create(title="t", settings={"a": 1})
    given: dict[str, Any] = {field: wrong}
    for change in (
        me.conversations.create(**{"title": "t", **given}),
        me.conversations.update_details(made.id, **given),
    ):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await change
        assert refused.value.field == field
    assert await me.conversations.get(made.id) == made


async def test_details_are_changed_once_and_by_who_saw_them(me: dal.Session) -> None:
    made = await me.conversations.create(title="t", context={"a": [1]}, settings={"b": None})
    same = await me.conversations.update_details(made.id, title="t", context={"a": [1]})
    assert same == made
    changed = await me.conversations.update_details(
        made.id, settings={}, expected_updated_at=made.updated_at
    )
    assert (changed.context, changed.settings, changed.title) == ({"a": [1]}, {}, "t")
    assert changed.updated_at > made.updated_at
    with pytest.raises(dal.StaleVersionError):
        await me.conversations.update_details(
            made.id, title="late", expected_updated_at=made.updated_at
        )


async def test_an_account_that_only_reads_changes_nothing(db: dal.Database) -> None:
    user = await new_user(db)
    made = await db.acting_as(dal.Actor.user(user.id)).conversations.create(title="t")
    me = db.acting_as(dal.Actor.user(user.id, role=dal.Role.VIEWER)).conversations
    assert await me.get(made.id) == made
    for change in (
        me.create(title="u"), me.update_details(made.id, title="u"), me.archive(made.id),
        me.change_status(made.id, "paused"), me.soft_delete(made.id), me.restore(made.id),
        me.trash.purge(made.id), me.participants.add(made.id, uuid4()),
        me.participants.leave(made.id), me.participants.set_pinned(made.id, True),
    ):  # fmt: skip
        with pytest.raises(dal.PermissionDeniedError):
            await change


async def test_who_can_be_added_removed_and_given_the_conversation(
    db: dal.Database, me: dal.Session
) -> None:
    mine = me.conversations
    made = await mine.create(title="t")
    bob, gone = await new_user(db, "Bob"), await new_user(db, "Gone")
    await db.acting_as(dal.Actor.system("tests")).users.soft_delete(gone.id)
    for nobody in (gone.id, uuid4()):
        with pytest.raises(dal.ParentMissingError):
            await mine.participants.add(made.id, nobody)
        for change in (
            mine.participants.change_role(made.id, nobody, "viewer"),
            mine.participants.remove(made.id, nobody),
            mine.participants.transfer(made.id, nobody),
        ):
            with pytest.raises(dal.NotFoundError):
                await change
    await mine.participants.add(made.id, bob.id)
    with pytest.raises(dal.UniqueError):
        await mine.participants.add(made.id, bob.id, "collaborator")
    for role in ("owner", "admin", None):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await mine.participants.change_role(made.id, bob.id, role)  # type: ignore[arg-type]
        assert refused.value.field == "role"
    owner_id = made.owner_id
    for demotion in (
        mine.participants.change_role(made.id, owner_id, "viewer"),
        mine.participants.remove(made.id, owner_id),
        mine.participants.leave(made.id),
    ):
        with pytest.raises(dal.PermissionDeniedError):
            await demotion
    with pytest.raises(dal.ValueRejectedError):
        await mine.participants.transfer(made.id, owner_id)


async def test_a_role_has_its_permissions_again(db: dal.Database, me: dal.Session) -> None:
    made = await me.conversations.create(title="t")
    bob = await new_user(db, "Bob")
    parts = me.conversations.participants
    await parts.add(made.id, bob.id, "collaborator")

    async def bobs() -> tuple[str, bool, bool]:
        rows = (await parts.list_of(made.id)).rows
        (row,) = [row for row in rows if row.user_id == bob.id]
        return row.role.value, row.can_write, row.can_share

    await parts.change_role(made.id, bob.id, "collaborator", can_share=True)
    assert await bobs() == ("collaborator", True, True)
    await parts.change_role(made.id, bob.id, "viewer")
    assert await bobs() == ("viewer", False, False)
    await parts.change_role(made.id, bob.id, "collaborator")
    assert await bobs() == ("collaborator", True, False)


async def test_the_participants_come_in_pages(db: dal.Database, me: dal.Session) -> None:
    made = await me.conversations.create(title="t")
    users = [await new_user(db, "Guest") for _ in range(7)]
    for user in users:
        await me.conversations.participants.add(made.id, user.id)
    seen = []
    after = None
    while True:
        page = await me.conversations.participants.list_of(made.id, limit=3, after=after)
        seen += [row.user_id for row in page.rows]
        after = page.next
        if after is None:
            break
    assert seen == sorted([made.owner_id, *(user.id for user in users)])


async def test_two_who_are_given_it_at_once_leave_one_owner(
    db: dal.Database, me: dal.Session
) -> None:
    made = await me.conversations.create(title="t")
    people = [await new_user(db, "Heir") for _ in range(4)]
    for user in people:
        await me.conversations.participants.add(made.id, user.id)

    async def give(user: dal.User) -> bool:
        try:
            await me.conversations.participants.transfer(made.id, user.id)
        except dal.PermissionDeniedError:
            return False
        return True

    given = await asyncio.gather(*(give(user) for user in people))
    assert sum(given) == 1
    rows = (await me.conversations.participants.list_of(made.id)).rows
    (owner,) = [row.user_id for row in rows if row.role is dal.ParticipantRole.OWNER]
    assert owner == people[given.index(True)].id
    assert (await me.conversations.get(made.id)).owner_id == owner


async def test_one_who_is_removed_while_they_write_wrote_before_or_not_at_all(
    db: dal.Database, me: dal.Session
) -> None:
    made = await me.conversations.create(title="t")
    bob = await new_user(db, "Bob")
    as_bob = db.acting_as(dal.Actor.user(bob.id))
    for n in range(10):
        await me.conversations.participants.add(made.id, bob.id, "collaborator")
        title = f"by Bob {n}"
        wrote, removed = await asyncio.gather(
            as_bob.conversations.update_details(made.id, title=title),
            me.conversations.participants.remove(made.id, bob.id),
            return_exceptions=True,
        )
        assert removed is None
        now = (await me.conversations.get(made.id)).title
        assert (now == title) == (not isinstance(wrote, dal.NotFoundError)), wrote
        assert not await as_bob.conversations.exists(made.id)


async def test_the_lists_are_in_the_order_of_activity(
    me: dal.Session, clock: dal.ManualClock
) -> None:
    made = []
    for n in range(9):
        made.append((await me.conversations.create(title=f"t{n}")).id)
        if n % 3:
            clock.move(timedelta(seconds=1))
    whole = [row.id for row in (await me.conversations.list_mine()).rows]
    # Three at a time are of one moment: the newest id first.
    assert whole == sorted(made, reverse=True)
    paged = []
    after = None
    while True:
        page = await me.conversations.list_mine(limit=2, after=after)
        paged += [row.id for row in page.rows]
        after = page.next
        if after is None:
            break
    assert paged == whole
