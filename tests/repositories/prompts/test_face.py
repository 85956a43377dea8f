"""Prompts: what their contract does not say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

import dal
from tests.conftest import Recorder, new_user
from tests.repositories.conftest import Root


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("user_input", None), ("user_input", "\ud800"), ("response", 1), ("usage", 7),
        ("usage", {"input": -1}), ("usage", {"input": 1.0}), ("usage", {"input": True}),
        ("usage", {"input": 10**12 + 1}), ("usage", {"Input": 1}), ("usage", {"": 1}),
        ("usage", {"x" * 33: 1}), ("usage", {f"t{n}": 1 for n in range(33)}),
        ("cost", -1), ("cost", 0.1),
        ("system_prompt", 1), ("template_id", "t"), ("template_version", 1), ("provider", " "),
        ("model", "a\nb"), ("model", "x" * 201), ("settings", []), ("finish_reason", ""),
        ("latency_ms", -1), ("first_token_ms", 2**32), ("max_attempts", 0), ("max_attempts", 101),
        ("idempotency_key", "x" * 101), ("parent_id", "p"), ("id", "i"),
        ("cost", Decimal("1E-19")), ("cost", Decimal("NaN")), ("cost", Decimal(10) ** 10),
    ],
)  # fmt: skip
async def test_what_cannot_be_stored_is_named(me: dal.Session, field: str, wrong: object) -> None:
    talk = await me.conversations.create(title="t")
    given: dict[str, Any] = {"user_input": "x", "response": "y", field: wrong}
    with pytest.raises(dal.ValueRejectedError) as refused:
        await me.prompts.create(talk.id, **given)
    assert refused.value.field == field
    assert await me.conversations.get(talk.id) == talk


@pytest.mark.parametrize("status", ["active", "paused", "completed"])
async def test_what_is_completed_takes_no_prompts(me: dal.Session, status: str) -> None:
    talk = await me.conversations.create(title="t")
    await me.conversations.change_status(talk.id, status)
    if status == "completed":
        with pytest.raises(dal.InvalidTransitionError) as refused:
            await me.prompts.create(talk.id, user_input="x")
        assert (refused.value.current, refused.value.wanted) == ("completed", "active")
    else:
        await me.prompts.create(talk.id, user_input="x")
    found = await me.conversations.get(talk.id)
    assert found.last_sequence == found.message_count == (status != "completed")


async def test_a_number_is_not_given_again(me: dal.Session) -> None:
    talk = await me.conversations.create(title="t")
    made = [await me.prompts.create(talk.id, user_input=str(n)) for n in range(3)]
    await me.prompts.soft_delete(made[2].id)
    following = await me.prompts.create(talk.id, user_input="3")
    back = await me.prompts.restore(made[2].id)
    assert [p.sequence_number for p in (*made, following)] == [1, 2, 3, 4]
    listed = (await me.prompts.list_of(talk.id)).rows
    assert listed == (made[0], made[1], back, following)
    # A taken id changes nothing, the number neither.
    with pytest.raises(dal.UniqueError):
        await me.prompts.create(talk.id, user_input="x", id=made[0].id)
    assert (await me.conversations.get(talk.id)).last_sequence == 4


async def test_last_activity_never_goes_back(me: dal.Session, clock: dal.ManualClock) -> None:
    talk = await me.conversations.create(title="t")
    clock.move(timedelta(seconds=5))
    made = await me.prompts.create(talk.id, user_input="x")
    assert (await me.conversations.get(talk.id)).last_activity_at == made.created_at
    clock.move(timedelta(seconds=5))
    await me.prompts.soft_delete(made.id)
    assert (await me.conversations.get(talk.id)).last_activity_at == clock.now()


async def test_what_is_unread_and_stays_read(db: dal.Database, me: dal.Session) -> None:
    talk = await me.conversations.create(title="t")
    bob = await new_user(db, "Bob")
    as_bob = db.acting_as(dal.Actor.user(bob.id)).conversations
    await me.conversations.participants.add(talk.id, bob.id)
    for n in range(5):
        await me.prompts.create(talk.id, user_input=str(n))

    async def unread() -> int:
        (row,) = (await as_bob.list_shared()).rows
        return row.unread_count

    assert await unread() == 5
    for number, left in ((2, 3), (1, 3), (0, 3), (99, 0)):
        await as_bob.participants.mark_read(talk.id, number)
        assert await unread() == left
    for wrong in (-1, 2**32, True, "1"):
        with pytest.raises(dal.ValueRejectedError):
            await as_bob.participants.mark_read(talk.id, wrong)  # type: ignore[arg-type]


async def test_20_writers_get_the_numbers_1_to_n_and_the_totals_are_the_sum(
    db: dal.Database, me: dal.Session, root: Root
) -> None:
    """At every commit, as somebody else sees it meanwhile."""
    talk = await me.conversations.create(title="t")
    people = [await new_user(db, "Writer") for _ in range(20)]
    for user in people:
        await me.conversations.participants.add(talk.id, user.id, "collaborator")
    done = asyncio.Event()

    async def write(user: dal.User, n: int) -> None:
        prompts = db.acting_as(dal.Actor.user(user.id)).prompts
        for k in range(5):
            made = await prompts.create(
                talk.id, user_input="x", response="", usage={"input": n * k}, cost=Decimal(n) / 1000
            )
            if k % 3 == 1:
                await prompts.soft_delete(made.id)

    async def watch() -> int:
        looks = 0
        while not done.is_set():
            ((kept, summed),) = await asyncio.to_thread(
                root,
                "SELECT CONCAT_WS('/', c.message_count, c.token_count, c.cost),"
                " (SELECT CONCAT_WS('/', COUNT(*), COALESCE(SUM(q.token_count), 0),"
                " CAST(COALESCE(SUM(q.cost), 0) AS DECIMAL(38, 18)))"
                " FROM prompts AS q WHERE q.conversation_id = c.id AND q.deleted_at IS NULL)"
                " FROM conversations AS c WHERE c.id = %s",
                talk.id.bytes,
            )
            assert kept == summed
            looks += 1
        return looks

    watching = asyncio.create_task(watch())
    try:
        await asyncio.gather(*(write(user, n) for n, user in enumerate(people)))
    finally:
        done.set()
    assert await watching > 0
    numbers = root("SELECT sequence_number FROM prompts WHERE conversation_id = %s ORDER BY 1",
                   talk.id.bytes)  # fmt: skip
    assert [n for (n,) in numbers] == list(range(1, 101))
    system = db.acting_as(dal.Actor.system("tests"))
    assert await system.conversations.totals.recompute(talk.id) is False


async def test_recompute_mends_what_is_apart(db: dal.Database, me: dal.Session, root: Root) -> None:
    talk = await me.conversations.create(title="t")
    await me.prompts.create(
        talk.id, user_input="x", response="y", usage={"input": 7}, cost=Decimal("0.25")
    )
    before = await me.conversations.get(talk.id)
    root("UPDATE conversations SET message_count = 9, cost = 1 WHERE id = %s", talk.id.bytes)
    system = db.acting_as(dal.Actor.system("tests"))
    assert await system.conversations.totals.recompute(talk.id) is True
    assert await me.conversations.get(talk.id) == before
    assert await system.conversations.totals.recompute(talk.id) is False


async def test_a_purge_takes_the_prompts_with_it(me: dal.Session, root: Root) -> None:
    talk = await me.conversations.create(title="t")
    for n in range(3):
        made = await me.prompts.create(talk.id, user_input=str(n))
    await me.prompts.soft_delete(made.id)
    await me.conversations.soft_delete(talk.id)
    with pytest.raises(dal.NotFoundError):
        await me.prompts.list_of(talk.id)
    await me.conversations.trash.purge(talk.id)
    for table in ("prompts", "conversation_participants"):
        rows = root(f"SELECT * FROM {table} WHERE conversation_id = %s", talk.id.bytes)
        assert not rows


async def test_an_account_that_only_reads_adds_nothing(db: dal.Database) -> None:
    user = await new_user(db)
    as_user = db.acting_as(dal.Actor.user(user.id))
    talk = await as_user.conversations.create(title="t")
    made = await as_user.prompts.create(talk.id, user_input="x")
    me = db.acting_as(dal.Actor.user(user.id, role=dal.Role.VIEWER)).prompts
    assert await me.get(made.id) == made
    for change in (
        me.create(talk.id, user_input="x"),
        me.soft_delete(made.id),
        me.restore(made.id),
    ):
        with pytest.raises(dal.PermissionDeniedError):
            await change


async def test_an_open_of_200_prompts_with_their_participants(
    db: dal.Database, me: dal.Session, recorder: Recorder
) -> None:
    talk = await me.conversations.create(title="t")
    for _ in range(5):
        await me.conversations.participants.add(talk.id, (await new_user(db, "Guest")).id)
    async with me.begin() as tx:
        for n in range(200):
            await tx.prompts.create(talk.id, user_input=str(n))
    recorder.clear()
    await me.conversations.get(talk.id)
    people = await me.conversations.participants.list_of(talk.id)
    prompts = await me.prompts.list_of(talk.id, limit=200)
    assert (len(people.rows), len(prompts.rows)) == (6, 200)
    assert len(recorder.names) == 3


async def test_pages_follow_each_other(me: dal.Session) -> None:
    talk = await me.conversations.create(title="t")
    made = [await me.prompts.create(talk.id, user_input=str(n)) for n in range(7)]
    await me.prompts.soft_delete(made.pop(3).id)
    # What followed it follows what it followed.
    made[3] = await me.prompts.get(made[3].id)
    seen: list[dal.Prompt] = []
    after = None
    while True:
        page = await me.prompts.list_of(talk.id, limit=3, after=after)
        seen += page.rows
        after = page.next
        if after is None:
            break
    assert seen == made
    with pytest.raises(dal.NotFoundError):
        await me.prompts.list_of(uuid4())
