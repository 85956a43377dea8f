"""What every public method of prompts does in every case; the words are in contracts.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid4

import attrs

import dal
from tests.repositories.contracts import Contract
from tests.repositories.conversations.contract import (
    CASES,
    ConversationWorld,
    conversation_world,
)

# As for a conversation, in which the collaborator asked; ``gone`` is a deleted prompt of a
# live one.
PROMPT_CASES: Final = [
    *CASES, "owner_gone", "collaborator_gone", "viewer_gone", "stranger_gone", "system_gone",
]  # fmt: skip

PROMPTS: Final[dict[str, str]] = {
    # own:   live arch del orph abs | live arch del orph | live del | r s a | system | gone
    "get":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  NF NF NF NF NF",
    "find":
        "yes yes no no no  yes yes no no  yes no  no no no  yes no no  no no no no no",
    "list_of":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  no no no NF no",
    "search":
        "yes yes no no no  yes yes no no  yes no  no no PD  PD PD PD   no no no no PD",
    # by who may write, in a conversation that is open
    "create":
        "yes IT NF NF NF   yes IT NF NF   PD NF   NF NF NF  PD NF NF   yes yes PD NF PD",
    # by who may write, and by the system
    "start":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  yes NF NF  NF NF NF NF NF",
    "append_partial":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  yes NF NF  NF NF NF NF NF",
    "complete":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  yes NF NF  NF NF NF NF NF",
    "fail":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  yes NF NF  NF NF NF NF NF",
    "retry":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  yes NF NF  NF NF NF NF NF",
    "cancel":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  yes NF NF  NF NF NF NF NF",
    # as the conversation is seen
    "tree.get_path":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  NF NF NF NF NF",
    "tree.get_ancestors":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  NF NF NF NF NF",
    "tree.get_depth":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  NF NF NF NF NF",
    "tree.list_children":
        "no no NF NF NF    no no NF NF    no NF   NF NF NF  no NF NF   NF NF NF NF NF",
    "tree.list_siblings":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  NF NF NF NF NF",
    "tree.list_leaves":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  no no no NF no",
    # by who may write
    "tree.follow_up":
        "yes IT NF NF NF   yes IT NF NF   PD NF   NF NF NF  PD NF NF   NF NF NF NF NF",
    "tree.set_active":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  PD NF NF   NF NF NF NF NF",
    # as the conversation is seen, and by who may write in one that is open
    "variations.list_of":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  NF NF NF NF NF",
    "variations.compare":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  NF NF NF NF NF",
    "variations.create":
        "yes IT NF NF NF   yes IT NF NF   PD NF   NF NF NF  PD NF NF   NF NF NF NF NF",
    "variations.select":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  PD NF NF   NF NF NF NF NF",
    # by who may write, and by the system
    "ratings.set":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  yes NF NF  NF NF NF NF NF",
    "ratings.clear":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  yes NF NF  NF NF NF NF NF",
    "analytics.report":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  yes yes yes NF yes",
    "analytics.series":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  yes yes yes NF yes",
    "analytics.best":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  yes yes yes NF yes",
    "analytics.count_by_status":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  no no no NF no",
    # of what the actor asked, which outlives all
    "analytics.days_report":
        "no no no no no    yes yes yes yes  no no  no no PD  PD PD PD   no yes no no PD",
    "analytics.days_series":
        "no no no no no    yes yes yes yes  no no  no no PD  PD PD PD   no yes no no PD",
    # by the author and by the owner
    "tree.reparent":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  PD NF NF   NF NF NF NF NF",
    "tree.soft_delete_subtree":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  PD NF NF   NF NF NF NF NF",
    "tree.soft_delete_after":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  PD NF NF   NF NF NF NF NF",
    "tree.restore_subtree":
        "NF NF NF NF NF    NF NF NF NF    NF NF   NF NF NF  PD NF NF   yes yes PD NF NF",
    # for the workers of the system
    "queue.claim_next":
        "PD PD PD PD PD    PD PD PD PD    PD PD   PD PD PD  yes yes no PD PD PD PD no",
    "queue.heartbeat":
        "PD PD PD PD PD    PD PD PD PD    PD PD   PD PD PD  yes yes NF PD PD PD PD NF",
    "queue.release":
        "PD PD PD PD PD    PD PD PD PD    PD PD   PD PD PD  yes yes NF PD PD PD PD NF",
    "queue.requeue_expired":
        "PD PD PD PD PD    PD PD PD PD    PD PD   PD PD PD  yes yes no PD PD PD PD yes",
    # prices are everybody's to read
    "costs.list_prices":
        "no no no no no    no no no no    no no   no no no  no no no   no no no no no",
    "costs.estimate":
        "yes yes yes yes yes  yes yes yes yes  yes yes  yes yes yes  yes yes yes"
        " yes yes yes yes yes",
    # as the conversation is seen; what was spent stays when the prompt goes
    "costs.get_attempts":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  NF NF NF NF NF",
    "costs.compare_conversation":
        "yes yes NF NF NF  yes yes NF NF  yes NF  NF NF NF  yes NF NF  yes yes yes NF yes",
    # of who asked
    "costs.compare_mine":
        "no no no no no    yes yes yes yes  no no  no no PD  PD PD PD   no yes no no PD",
    # for the system
    "costs.add_prices":
        "PD PD PD PD PD    PD PD PD PD    PD PD   PD PD PD  yes yes yes PD PD PD PD yes",
    "costs.recalculate":
        "PD PD PD PD PD    PD PD PD PD    PD PD   PD PD PD  yes yes yes PD PD PD PD yes",
    "costs.rebuild_days":
        "PD PD PD PD PD    PD PD PD PD    PD PD   PD PD PD  yes yes yes PD PD PD PD yes",
    # by the author and by the owner
    "soft_delete":
        "yes yes NF NF NF  yes yes NF NF  PD NF   NF NF NF  PD NF NF   NF NF NF NF NF",
    "restore":
        "NF NF NF NF NF    NF NF NF NF    NF NF   NF NF NF  PD NF NF   yes yes PD NF NF",
}  # fmt: skip


@attrs.define(kw_only=True)
class PromptWorld(ConversationWorld):
    """A conversation with two prompts of the collaborator's; the second one is asked about."""

    conversation_id: UUID


USAGE: Final = {"input": 12, "output": 8}
ASKED: Final[dict[str, Any]] = {
    "user_input": "what?",
    "response": "näht \U0001f600",
    "usage": USAGE,
    "cost": Decimal("0.0000000003"),
}


async def _started(prompts: Any, prompt_id: UUID) -> None:
    await prompts.start(prompt_id)


async def _failed(prompts: Any, prompt_id: UUID) -> None:
    await prompts.fail(prompt_id, error_code="timeout", usage=USAGE, cost=Decimal("3E-10"))


# Where the prompt stands that a step is taken with.
STAGES: Final[dict[str, list[Callable[[Any, UUID], Awaitable[None]]]]] = {
    "start": [],
    "cancel": [],
    "append_partial": [_started],
    "complete": [_started],
    "fail": [_started],
    "retry": [_started, _failed],
}
WORKER: Final = "worker-1"
TOTALS: Final = (2, 30, Decimal("0.0000000003"))


async def prompt_world(
    db: dal.Database, clock: dal.ManualClock, case: str, method: str = ""
) -> PromptWorld:
    who, _, what = case.rpartition("_")
    prompt_id = uuid4()

    async def ask(world: ConversationWorld) -> None:
        prompts = db.acting_as(dal.Actor.user(world.collaborator.id)).prompts
        await prompts.create(world.id, user_input="first", response="", usage={"input": 10})
        if method.startswith("queue."):
            queue = db.acting_as(dal.Actor.system("tests")).prompts.queue
            while await queue.claim_next("another") is not None:
                pass
            await prompts.create(world.id, user_input="what?", id=prompt_id)
            if method != "queue.claim_next":
                claimed = await queue.claim_next(WORKER)
                assert claimed is not None
                assert claimed.id == prompt_id
        elif method.startswith("variations."):
            first = await prompts.create(world.id, **ASKED)
            await prompts.variations.create(first.id, model="another", id=prompt_id)
        elif method == "ratings.clear":
            await prompts.create(world.id, **ASKED, id=prompt_id)
            await prompts.ratings.set(prompt_id, 2, feedback="not so good")
        elif method == "tree.set_active":
            await prompts.create(world.id, **ASKED, id=prompt_id)
            await prompts.create(world.id, user_input="elsewhere")
        elif method in STAGES:
            await prompts.create(world.id, user_input="what?", id=prompt_id)
            for step in STAGES[method]:
                await step(prompts, prompt_id)
        else:
            await prompts.create(world.id, **ASKED, id=prompt_id)
        if what == "gone":
            await prompts.soft_delete(prompt_id)

    of = await conversation_world(
        db, clock, case if what != "gone" else f"{who}_live", method, prepare=ask
    )
    values = {field.name: getattr(of, field.name) for field in attrs.fields(ConversationWorld)}
    world = PromptWorld(**values, conversation_id=of.id)
    world.id = prompt_id
    return world


async def totals(w: PromptWorld) -> tuple[int, int, Decimal]:
    found = await w.system.conversations.get(w.conversation_id)
    return found.message_count, found.token_count, found.cost


async def _get(w: PromptWorld) -> bool:
    found = await w.me.prompts.get(w.id)
    assert (found.user_input, found.response) == ("what?", "näht \U0001f600")
    assert found.author_id == w.collaborator.id
    return (found.sequence_number, found.token_count, found.cost) == (2, 20, Decimal("3E-10"))


async def _find(w: PromptWorld) -> bool:
    return await w.me.prompts.find(w.id) is not None


async def _list_of(w: PromptWorld) -> bool:
    page = await w.me.prompts.list_of(w.conversation_id)
    assert page.next is None
    assert page.rows[0].sequence_number == 1
    return w.id in [row.id for row in page.rows]


async def _search(w: PromptWorld) -> bool:
    found = (await w.me.prompts.search("näht")).rows
    assert all(hit.prompt.response == "näht \U0001f600" for hit in found)
    return w.id in [hit.prompt.id for hit in found]


async def _create(w: PromptWorld) -> bool:
    before = await totals(w)
    made = await w.me.prompts.create(
        w.conversation_id, user_input="", response="", usage={"other": 5}, cost=1, id=w.fork_id
    )
    messages, tokens, cost = before
    assert await totals(w) == (messages + 1, tokens + 5, cost + 1)
    assert (made.sequence_number, made.status) == (3, "completed")
    assert made.parent_sequence == (1 if await w.system.prompts.find(w.id) is None else 2)
    return made == await w.system.prompts.get(w.fork_id)


async def _start(w: PromptWorld) -> bool:
    started = await w.me.prompts.start(w.id)
    assert (started.status, started.attempt, started.started_at) == (
        "processing", 1, w.clock.now(),
    )  # fmt: skip
    return started == await w.system.prompts.get(w.id)


async def _append_partial(w: PromptWorld) -> bool:
    assert await w.me.prompts.append_partial(w.id, "So \U0001f600", offset=0) == 4
    assert await w.me.prompts.append_partial(w.id, ".", offset=4) == 5
    return (await w.system.prompts.get(w.id)).response == "So \U0001f600."


async def _complete(w: PromptWorld) -> bool:
    await w.me.prompts.complete(
        w.id, response="This.", usage=USAGE, cost=Decimal("3E-10"), model="m", provider="p",
        finish_reason="stop", latency_ms=250, first_token_ms=25,
    )  # fmt: skip
    assert await totals(w) == TOTALS
    found = await w.system.prompts.get(w.id)
    assert (found.status, found.response, found.token_count) == ("completed", "This.", 20)
    assert (found.cost, found.model, found.provider) == (Decimal("3E-10"), "m", "p")
    assert (found.latency_ms, found.first_token_ms, found.finish_reason) == (250, 25, "stop")
    return found.finished_at == w.clock.now()


async def _fail(w: PromptWorld) -> bool:
    await w.me.prompts.fail(
        w.id, error_code="timeout", error_message="slow", usage=USAGE, cost=Decimal("3E-10"),
        model="m", provider="p", latency_ms=250,
    )  # fmt: skip
    assert await totals(w) == TOTALS
    found = await w.system.prompts.get(w.id)
    assert (found.error_code, found.error_message, found.token_count) == ("timeout", "slow", 20)
    assert (found.cost, found.model, found.provider) == (Decimal("3E-10"), "m", "p")
    assert (found.latency_ms, found.finished_at) == (250, w.clock.now())
    return found.status == "failed"


async def _retry(w: PromptWorld) -> bool:
    await w.me.prompts.retry(w.id)
    found = await w.system.prompts.get(w.id)
    assert (found.queued_at, found.finished_at) == (w.clock.now(), None)
    assert await totals(w) == TOTALS
    return found.status == "pending"


async def _cancel(w: PromptWorld) -> bool:
    await w.me.prompts.cancel(w.id)
    found = await w.system.prompts.get(w.id)
    assert found.finished_at == w.clock.now()
    return found.status == "cancelled"


async def _get_path(w: PromptWorld) -> bool:
    path = await w.me.prompts.tree.get_path(w.id)
    assert [row.sequence_number for row in path] == [1, 2]
    assert await w.me.prompts.tree.get_path(w.id, limit=1) == path[1:]
    return path[-1] == await w.system.prompts.get(w.id)


async def _get_ancestors(w: PromptWorld) -> bool:
    return [p.sequence_number for p in await w.me.prompts.tree.get_ancestors(w.id)] == [1]


async def _get_depth(w: PromptWorld) -> bool:
    return await w.me.prompts.tree.get_depth(w.id) == 1


async def _list_children(w: PromptWorld) -> bool:
    return bool((await w.me.prompts.tree.list_children(w.id)).rows)


async def _list_siblings(w: PromptWorld) -> bool:
    return [row.id for row in (await w.me.prompts.tree.list_siblings(w.id)).rows] == [w.id]


async def _list_leaves(w: PromptWorld) -> bool:
    return [row.id for row in (await w.me.prompts.tree.list_leaves(w.conversation_id)).rows] == [
        w.id
    ]


async def _follow_up(w: PromptWorld) -> bool:
    made = await w.me.prompts.tree.follow_up(w.id, user_input="and?", id=w.fork_id)
    assert (made.parent_sequence, made.status) == (2, "pending")
    return made == await w.system.prompts.get(w.fork_id)


async def _set_active(w: PromptWorld) -> bool:
    await w.me.prompts.tree.set_active(w.id)
    return (await w.system.conversations.get(w.conversation_id)).active_sequence == 2


def _around(w: PromptWorld) -> dict[str, Any]:
    day = timedelta(days=1)
    return {
        "of": dal.UsageOf.conversation(w.conversation_id),
        "from_at": w.clock.now() - day,
        "until_at": w.clock.now() + day,
    }


async def _report(w: PromptWorld) -> bool:
    found = await w.me.prompts.analytics.report(**_around(w))
    assert (found.total.completed, found.total.tokens) == (2, 30)
    assert found.by_model == found.by_provider == {None: found.total}
    return found.by_user == {w.collaborator.id: found.total}


async def _series(w: PromptWorld) -> bool:
    found = await w.me.prompts.analytics.series(**_around(w))
    return sum(point.statistics.completed for point in found) == 2 and len(found) in (2, 3)


async def _best(w: PromptWorld) -> bool:
    found = await w.me.prompts.analytics.best(**_around(w), by="cost_efficiency")
    return [(one.id, one.value) for one in found] == [(w.id, 20 / 3e-10)]


async def _count_by_status(w: PromptWorld) -> bool:
    of = dal.UsageOf.conversation(w.conversation_id)
    found = await w.me.prompts.analytics.count_by_status(of)
    return found == {**dict.fromkeys(dal.PromptStatus, 0), dal.PromptStatus.COMPLETED: 2}


def _day(w: PromptWorld) -> dict[str, Any]:
    today = w.clock.now().date()
    return {"of": dal.UsageOf.mine(), "first": today, "last": today}


async def _days_report(w: PromptWorld) -> bool:
    found = await w.me.prompts.analytics.days_report(**_day(w))
    return (found.total.completed, found.total.tokens) == (2, 30)


async def _days_series(w: PromptWorld) -> bool:
    (point,) = await w.me.prompts.analytics.days_series(**_day(w))
    return point.statistics.completed == 2


async def _list_variations(w: PromptWorld) -> bool:
    found = await w.me.prompts.variations.list_of(w.id)
    assert [(one.variation_number, one.is_selected) for one in found] == [(1, True), (2, False)]
    assert [one.parent_sequence for one in found] == [1, 1]
    return found[1] == await w.me.prompts.get(w.id)


async def _compare(w: PromptWorld) -> bool:
    found = await w.me.prompts.variations.compare(w.id)
    assert [(one.prompt.model, one.prompt.user_input) for one in found] == [
        (None, "what?"), ("another", "what?"),
    ]  # fmt: skip
    return (found[0].diff, found[1].diff.split("\n")[3:]) == ("", ["-näht \U0001f600", "+"])


async def _create_variation(w: PromptWorld) -> bool:
    before = (await w.system.conversations.get(w.conversation_id)).active_sequence
    made = await w.me.prompts.variations.create(w.id, user_input="so?", id=w.fork_id)
    assert (made.variation_number, made.parent_sequence, made.status) == (3, 1, "pending")
    assert (made.model, made.user_input) == ("another", "so?")
    after = (await w.system.conversations.get(w.conversation_id)).active_sequence
    assert (before, after) == (2, 2)
    return made == await w.system.prompts.get(w.fork_id)


async def _select(w: PromptWorld) -> bool:
    await w.me.prompts.variations.select(w.id)
    found = await w.system.prompts.variations.list_of(w.id)
    assert [one.is_selected for one in found] == [False, True]
    return (await w.system.conversations.get(w.conversation_id)).active_sequence == 3


async def _set_rating(w: PromptWorld) -> bool:
    await w.me.prompts.ratings.set(w.id, 4, feedback="good \U0001f600")
    found = await w.system.prompts.get(w.id)
    assert (found.rating, found.feedback) == (4, "good \U0001f600")
    return found.rated_at == w.clock.now()


async def _clear_rating(w: PromptWorld) -> bool:
    await w.me.prompts.ratings.clear(w.id)
    found = await w.system.prompts.get(w.id)
    return (found.rating, found.feedback, found.rated_at) == (None, None, None)


async def _reparent(w: PromptWorld) -> bool:
    back = await w.me.prompts.tree.reparent(w.id, None)
    assert back.parent_sequence is None
    return back == await w.system.prompts.get(w.id)


async def _soft_delete_subtree(w: PromptWorld) -> bool:
    assert await w.me.prompts.tree.soft_delete_subtree(w.id) == 1
    assert await totals(w) == (1, 10, Decimal(0))
    return await w.system.prompts.find(w.id) is None


async def _soft_delete_after(w: PromptWorld) -> bool:
    assert await w.me.prompts.tree.soft_delete_after(w.id) == 1
    assert await totals(w) == (1, 10, Decimal(0))
    return await w.system.prompts.find(w.id) is None


async def _restore_subtree(w: PromptWorld) -> bool:
    assert await w.me.prompts.tree.restore_subtree(w.id) == 1
    assert await totals(w) == TOTALS
    return await w.system.prompts.find(w.id) is not None


async def _claim_next(w: PromptWorld) -> bool:
    found = await w.me.prompts.queue.claim_next(WORKER, lease_s=5)
    if found is None:
        # What nobody can see any more is cancelled, which is a change too.
        return w.case == "system_deleted"
    assert (found.status, found.attempt, found.started_at) == ("processing", 1, w.clock.now())
    return found == await w.system.prompts.get(w.id)


async def _heartbeat(w: PromptWorld) -> bool:
    until = await w.me.prompts.queue.heartbeat(w.id, WORKER, lease_s=100)
    return until == w.clock.now() + timedelta(seconds=100)


async def _release(w: PromptWorld) -> bool:
    await w.me.prompts.queue.release(w.id, WORKER)
    found = await w.system.prompts.find(w.id)
    return found is None or (found.status, found.attempt) == ("pending", 0)


async def _requeue_expired(w: PromptWorld) -> bool:
    w.clock.move(timedelta(seconds=60))
    requeued = await w.me.prompts.queue.requeue_expired()
    found = await w.system.prompts.find(w.id)
    assert found is None or (found.status, found.attempt) == ("pending", 1)
    return requeued > 0


def _prices(w: PromptWorld, *, since: timedelta) -> list[dal.NewPrice]:
    return [
        dal.NewPrice(
            model=f"model {w.id}", provider="p", usage_type="input", unit_price=Decimal("1E-6"),
            effective_from=w.clock.now() - since,
        )
    ]  # fmt: skip


async def _list_prices(w: PromptWorld) -> bool:
    return bool(await w.me.prompts.costs.list_prices([f"model {w.id}"]))


async def _estimate(w: PromptWorld) -> bool:
    found = await w.me.prompts.costs.estimate({"input": 7}, model=f"model {w.id}")
    assert found.source == "none"
    return (found.cost, found.token_count) == (Decimal(0), 7)


async def _get_attempts(w: PromptWorld) -> bool:
    ((record, items),) = (
        (found.record, found.items) for found in await w.me.prompts.costs.get_attempts(w.id)
    )
    assert (record.user_id, record.cost, record.cost_source) == (
        w.collaborator.id, Decimal("3E-10"), "caller",
    )  # fmt: skip
    return {item.usage_type: item.token_count for item in items} == USAGE


async def _compare_conversation(w: PromptWorld) -> bool:
    found = await w.me.prompts.costs.compare_conversation(w.conversation_id, model="no model")
    assert found.elsewhere.cost == 0
    return found.usage == {"input": 22, "output": 8}


async def _compare_mine(w: PromptWorld) -> bool:
    found = await w.me.prompts.costs.compare_mine(
        from_at=w.clock.now() - timedelta(days=1),
        until_at=w.clock.now() + timedelta(days=1),
        model="no model",
    )
    return found.usage == {"input": 22, "output": 8}


async def _add_prices(w: PromptWorld) -> bool:
    prices = _prices(w, since=timedelta(0))
    assert await w.me.prompts.costs.add_prices(prices) == 1
    assert await w.me.prompts.costs.add_prices(prices) == 0
    return await w.me.prompts.costs.list_prices([prices[0].model]) == [prices[0].stored]


async def _answered_now(w: PromptWorld, model: str | None) -> None:
    """One more prompt with its answer, in a conversation of the collaborator's own."""
    me = w.db.acting_as(dal.Actor.user(w.collaborator.id))
    talk = await me.conversations.create(title="t")
    await me.prompts.create(
        talk.id, user_input="x", response="y", usage={"input": 7}, model=model, id=w.fork_id
    )


async def _recalculate(w: PromptWorld) -> bool:
    if w.me.actor.is_system:
        await _answered_now(w, f"model {w.id}")
        await w.system.prompts.costs.add_prices(_prices(w, since=timedelta(days=1)))
    found = await w.me.prompts.costs.recalculate(
        from_at=w.clock.now() - timedelta(hours=1), until_at=w.clock.now() + timedelta(hours=1)
    )
    assert (found.changed, found.difference) == (1, Decimal("7E-6"))
    return (await w.system.prompts.get(w.fork_id)).cost == Decimal("7E-6")


async def _rebuild_days(w: PromptWorld) -> bool:
    if w.me.actor.is_system:
        await _answered_now(w, None)
    day = w.clock.now().date()
    w.clock.move(timedelta(days=1))
    return await w.me.prompts.costs.rebuild_days(first=day, last=day) >= 2


async def _soft_delete(w: PromptWorld) -> bool:
    await w.me.prompts.soft_delete(w.id)
    assert await totals(w) == (1, 10, Decimal(0))
    return await w.system.prompts.find(w.id) is None


async def _restore(w: PromptWorld) -> bool:
    back = await w.me.prompts.restore(w.id)
    assert await totals(w) == TOTALS
    return back == await w.system.prompts.get(w.id)


ASKS: Final[dict[str, Callable[[Any], Awaitable[bool]]]] = {
    "get": _get,
    "find": _find,
    "list_of": _list_of,
    "search": _search,
    "create": _create,
    "start": _start,
    "append_partial": _append_partial,
    "complete": _complete,
    "fail": _fail,
    "retry": _retry,
    "cancel": _cancel,
    "analytics.report": _report,
    "analytics.series": _series,
    "analytics.best": _best,
    "analytics.count_by_status": _count_by_status,
    "analytics.days_report": _days_report,
    "analytics.days_series": _days_series,
    "variations.list_of": _list_variations,
    "variations.compare": _compare,
    "variations.create": _create_variation,
    "variations.select": _select,
    "ratings.set": _set_rating,
    "ratings.clear": _clear_rating,
    "tree.get_path": _get_path,
    "tree.get_ancestors": _get_ancestors,
    "tree.get_depth": _get_depth,
    "tree.list_children": _list_children,
    "tree.list_siblings": _list_siblings,
    "tree.list_leaves": _list_leaves,
    "tree.follow_up": _follow_up,
    "tree.set_active": _set_active,
    "tree.reparent": _reparent,
    "tree.soft_delete_subtree": _soft_delete_subtree,
    "tree.soft_delete_after": _soft_delete_after,
    "tree.restore_subtree": _restore_subtree,
    "queue.claim_next": _claim_next,
    "queue.heartbeat": _heartbeat,
    "queue.release": _release,
    "queue.requeue_expired": _requeue_expired,
    "costs.list_prices": _list_prices,
    "costs.estimate": _estimate,
    "costs.get_attempts": _get_attempts,
    "costs.compare_conversation": _compare_conversation,
    "costs.compare_mine": _compare_mine,
    "costs.add_prices": _add_prices,
    "costs.recalculate": _recalculate,
    "costs.rebuild_days": _rebuild_days,
    "soft_delete": _soft_delete,
    "restore": _restore,
}

CONTRACT: Final = Contract("prompts.", PROMPT_CASES, PROMPTS, ASKS, prompt_world)
