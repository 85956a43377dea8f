"""Claiming what waits: what the contract does not say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

import dal
from tests.conftest import new_user
from tests.repositories.conftest import Root


@pytest.fixture
async def system(db: dal.Database) -> dal.Session:
    """Of workers; what others left to wait is out of the way."""
    session = db.acting_as(dal.Actor.system("workers"))
    while await session.prompts.queue.claim_next("others") is not None:
        pass
    return session


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


async def asked(me: dal.Session, n: int) -> list[UUID]:
    talk = await me.conversations.create(title="t")
    return [(await me.prompts.create(talk.id, user_input=str(k))).id for k in range(n)]


async def test_who_waits_longest_comes_first(
    me: dal.Session, system: dal.Session, clock: dal.ManualClock
) -> None:
    queue = system.prompts.queue
    ids = []
    for _ in range(3):
        clock.move(timedelta(seconds=1))
        ids += await asked(me, 2)
    first = await queue.claim_next("w")
    assert first is not None
    await system.prompts.fail(first.id, error_code="e", worker="w")
    clock.move(timedelta(seconds=1))
    await system.prompts.retry(first.id)
    claimed = []
    while (found := await queue.claim_next("w")) is not None:
        claimed.append(found.id)
    assert claimed == [*ids[1:], first.id]


async def test_a_lease_is_of_one_worker(
    me: dal.Session, system: dal.Session, clock: dal.ManualClock
) -> None:
    (prompt_id,) = await asked(me, 1)
    assert (await system.prompts.queue.claim_next("a", lease_s=10)) is not None
    calls: list[Any] = [
        lambda who: system.prompts.complete(prompt_id, response="x", worker=who),
        lambda who: system.prompts.fail(prompt_id, error_code="e", worker=who),
        lambda who: system.prompts.append_partial(prompt_id, "x", offset=0, worker=who),
        lambda who: system.prompts.queue.heartbeat(prompt_id, who or "b"),
        lambda who: system.prompts.queue.release(prompt_id, who or "b"),
    ]
    for call in calls:
        for who in ("b", "A", None):
            with pytest.raises(dal.InvalidTransitionError) as refused:
                await call(who)
            assert refused.value.current == "processing"
    # What has ended goes to another one, and its first worker comes too late.
    clock.move(timedelta(seconds=10))
    assert await system.prompts.queue.requeue_expired() == 1
    assert (await system.prompts.queue.claim_next("b")) is not None
    for call in calls:
        with pytest.raises(dal.InvalidTransitionError):
            await call("a")
    await system.prompts.complete(prompt_id, response="by b", worker="b")
    found = await system.prompts.get(prompt_id)
    assert (found.response, found.attempt, found.error_code) == ("by b", 2, None)


async def test_who_is_heard_of_keeps_its_lease(
    me: dal.Session, system: dal.Session, clock: dal.ManualClock
) -> None:
    (prompt_id,) = await asked(me, 1)
    await system.prompts.queue.claim_next("a", lease_s=10)
    for _ in range(3):
        clock.move(timedelta(seconds=9))
        assert await system.prompts.queue.requeue_expired() == 0
        await system.prompts.queue.heartbeat(prompt_id, "a", lease_s=10)
    # A shorter one does not shorten it.
    await system.prompts.queue.heartbeat(prompt_id, "a", lease_s=0.001)
    clock.move(timedelta(seconds=9))
    assert await system.prompts.queue.requeue_expired() == 0
    clock.move(timedelta(seconds=1))
    assert await system.prompts.queue.requeue_expired() == 1


async def test_a_lease_that_ends_too_often_fails(
    me: dal.Session, system: dal.Session, clock: dal.ManualClock
) -> None:
    talk = await me.conversations.create(title="t")
    made = await me.prompts.create(talk.id, user_input="?", max_attempts=2)
    for status in ("pending", "failed"):
        assert (await system.prompts.queue.claim_next("a", lease_s=1)) is not None
        clock.move(timedelta(seconds=1))
        assert await system.prompts.queue.requeue_expired(batch=1) == 1
        found = await system.prompts.get(made.id)
        assert (found.status, found.error_code) == (status, "lease_expired")
    assert found.finished_at == clock.now()
    assert await system.prompts.queue.claim_next("a") is None


async def test_what_is_given_back_was_no_attempt(me: dal.Session, system: dal.Session) -> None:
    (prompt_id,) = await asked(me, 1)
    for _ in range(5):
        claimed = await system.prompts.queue.claim_next("a")
        assert claimed is not None
        assert claimed.attempt == 1
        await system.prompts.queue.release(prompt_id, "a")


async def test_nothing_is_claimed_of_what_is_deleted(
    me: dal.Session, system: dal.Session, root: Root
) -> None:
    talk = await me.conversations.create(title="t")
    ids = [(await me.prompts.create(talk.id, user_input="?")).id for _ in range(3)]
    (after,) = await asked(me, 1)
    await me.conversations.soft_delete(talk.id)
    claimed = await system.prompts.queue.claim_next("a")
    assert claimed is not None
    assert claimed.id == after
    # Nobody waits for them any more, not even when it is restored.
    await me.conversations.restore(talk.id)
    assert await system.prompts.queue.claim_next("a") is None
    assert {(await me.prompts.get(i)).status for i in ids} == {"cancelled"}


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("worker", {"worker": ""}), ("worker", {"worker": None}), ("worker", {"worker": "x" * 101}),
        ("lease_s", {"lease_s": 0}), ("lease_s", {"lease_s": 86_401}),
        ("lease_s", {"lease_s": True}), ("lease_s", {"lease_s": float("nan")}),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_named(
    system: dal.Session, field: str, given: dict[str, Any]
) -> None:
    with pytest.raises(dal.ValueRejectedError) as refused:
        await system.prompts.queue.claim_next(**{"worker": "a", **given})
    assert refused.value.field == field


async def test_each_prompt_is_completed_once_though_workers_die(
    db: dal.Database, me: dal.Session, system: dal.Session, clock: dal.ManualClock, root: Root
) -> None:
    """50 workers over 5,000 prompts; each fifth is killed in the middle of its work."""
    talks, per_talk = [uuid4() for _ in range(20)], 250
    asked = [dal.ImportedPrompt(user_input="?")] * per_talk
    await me.conversations.exchange.create_many(
        dal.ImportedConversation(title="t", id=talk, prompts=asked) for talk in talks
    )
    ids, of = ", ".join(["%s"] * len(talks)), [talk.bytes for talk in talks]
    # An import brings no work; to ask 5,000 times takes longer than to answer.
    root(
        "UPDATE prompts SET status = 'pending', queued_at = created_at, finished_at = NULL"
        f" WHERE conversation_id IN ({ids})",
        *of,
    )
    answered: list[UUID] = []
    well_begun = asyncio.Event()

    async def work(name: str) -> None:
        while (found := await system.prompts.queue.claim_next(name, lease_s=60)) is not None:
            await system.prompts.complete(
                found.id, response=name, usage={"input": found.sequence_number}, cost=1,
                worker=name, model="m", latency_ms=100 + found.sequence_number % 50,
            )  # fmt: skip
            answered.append(found.id)
            if len(answered) == 1_000:
                well_begun.set()

    workers = [asyncio.create_task(work(f"worker-{n}")) for n in range(50)]
    await well_begun.wait()
    for task in workers[::5]:
        task.cancel()
    ended = await asyncio.gather(*workers, return_exceptions=True)
    assert all(one is None or isinstance(one, asyncio.CancelledError) for one in ended), ended
    # What the dead ones had comes back when their leases end.
    clock.move(timedelta(seconds=60))
    await system.prompts.queue.requeue_expired()
    await asyncio.gather(*(work(f"late-{n}") for n in range(10)))
    assert len(set(answered)) == len(answered)
    total = len(talks) * per_talk
    rows = root(
        "SELECT COUNT(*), SUM(status = 'completed'), COUNT(lease_owner), SUM(cost), MAX(attempt)"
        f" FROM prompts WHERE conversation_id IN ({ids})",
        *of,
    )
    count, completed, leased, cost, attempts = rows[0]
    assert (count, completed, leased, cost) == (total, total, 0, total)
    assert attempts <= 2
    completions = root(
        "SELECT COUNT(*), COUNT(DISTINCT l.target_id) FROM audit_logs AS l INNER JOIN prompts AS q"
        f" ON l.target_id = q.id WHERE q.conversation_id IN ({ids})"
        " AND l.action = 'prompt.complete'",
        *of,
    )
    assert completions[0] == (total, total)
    for talk in talks:
        assert await system.conversations.totals.recompute(talk) is False
    # The roll-up is what was recorded, and nobody was counted twice.
    sums = "SUM(cost), SUM(input_tokens), SUM(latency_ms)"
    raw = root(f"SELECT COUNT(*), {sums} FROM usage_records WHERE conversation_id IN ({ids})", *of)
    assert raw[0][:2] == (total, total)
    days = f"SELECT SUM(completed), {sums} FROM usage_days WHERE facet = %s AND subject_id = %s"
    assert me.actor.id is not None
    assert root(days, "user", me.actor.id.bytes) == raw
    of_model = root(f"{days} AND model = 'm'", "template", UUID(int=0).bytes)
    assert of_model[0][0] >= total
