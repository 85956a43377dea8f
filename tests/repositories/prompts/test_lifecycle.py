"""The life of prompts: what their contract does not say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import pytest

import dal
from tests.conftest import Recorder, new_user

ANSWER: Final[dict[str, Any]] = {
    "response": "So.", "usage": {"input": 7}, "cost": Decimal("0.000000000000000001"),
    "provider": "p", "model": "m", "finish_reason": "stop", "latency_ms": 250, "first_token_ms": 9,
}  # fmt: skip
OTHERS: Final[dict[str, Any]] = {
    "response": "so.", "usage": {"output": 7}, "cost": Decimal(1), "provider": "P", "model": "M",
    "finish_reason": "length", "latency_ms": 251, "first_token_ms": None,
}  # fmt: skip

STEPS: Final[dict[str, Callable[[Any, Any], Awaitable[object]]]] = {
    "start": lambda prompts, i: prompts.start(i),
    "append_partial": lambda prompts, i: prompts.append_partial(i, "x", offset=0),
    "complete": lambda prompts, i: prompts.complete(i, **ANSWER),
    "fail": lambda prompts, i: prompts.fail(i, error_code="e"),
    "cancel": lambda prompts, i: prompts.cancel(i),
    "retry": lambda prompts, i: prompts.retry(i),
}
WANTED: Final = {
    "start": "processing", "append_partial": "processing", "complete": "completed",
    "fail": "failed", "cancel": "cancelled", "retry": "pending",
}  # fmt: skip
# Where a prompt stands -> the steps that bring it there, and those that it takes from there.
STATES: Final[dict[str, tuple[list[str], set[str]]]] = {
    "pending": ([], {"start", "cancel"}),
    "processing": (["start"], {"append_partial", "complete", "fail", "cancel"}),
    "completed": (["start", "complete"], set()),
    "failed": (["start", "fail"], {"retry"}),
    "cancelled": (["cancel"], set()),
}


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


@pytest.fixture
async def talk(me: dal.Session) -> dal.Conversation:
    return await me.conversations.create(title="t")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", STATES)
async def test_each_step_from_each_state(
    me: dal.Session, talk: dal.Conversation, state: str, step: str
) -> None:
    made = await me.prompts.create(talk.id, user_input="?")
    way, legal = STATES[state]
    for one in way:
        await STEPS[one](me.prompts, made.id)
    before = await me.prompts.get(made.id)
    assert before.status == state
    if step in legal:
        await STEPS[step](me.prompts, made.id)
        assert (await me.prompts.get(made.id)).status == WANTED[step]
        return
    if (state, step) == ("completed", "complete"):
        # The same again: it was not heard the first time.
        await STEPS[step](me.prompts, made.id)
    else:
        with pytest.raises(dal.InvalidTransitionError) as refused:
            await STEPS[step](me.prompts, made.id)
        assert (refused.value.current, refused.value.wanted) == (state, WANTED[step])
    assert await me.prompts.get(made.id) == before


@pytest.mark.parametrize("field", ANSWER)
async def test_another_answer_is_refused(
    me: dal.Session, talk: dal.Conversation, field: str
) -> None:
    made = await me.prompts.create(talk.id, user_input="?")
    await me.prompts.start(made.id)
    await me.prompts.complete(made.id, **ANSWER)
    there = await me.prompts.get(made.id), await me.conversations.get(talk.id)
    with pytest.raises(dal.InvalidTransitionError) as refused:
        await me.prompts.complete(made.id, **{**ANSWER, field: OTHERS[field]})
    assert (refused.value.current, refused.value.wanted) == ("completed", "completed")
    assert (await me.prompts.get(made.id), await me.conversations.get(talk.id)) == there


async def test_it_is_tried_as_often_as_it_may(me: dal.Session, talk: dal.Conversation) -> None:
    made = await me.prompts.create(talk.id, user_input="?", max_attempts=2)
    for attempt in (1, 2):
        started = await me.prompts.start(made.id)
        assert (started.attempt, started.error_code) == (attempt, None)
        await me.prompts.fail(made.id, error_code="overloaded", usage={"input": 3}, cost=1)
        if attempt == 1:
            await me.prompts.retry(made.id)
    with pytest.raises(dal.InvalidTransitionError) as refused:
        await me.prompts.retry(made.id)
    assert (refused.value.current, refused.value.wanted) == ("failed", "pending")
    # What both attempts took.
    found = await me.prompts.get(made.id)
    assert (found.token_count, found.cost) == (6, Decimal(2))
    totals = await me.conversations.get(talk.id)
    assert (totals.message_count, totals.token_count, totals.cost) == (1, 6, Decimal(2))


async def test_what_is_appended_is_appended_once(me: dal.Session, talk: dal.Conversation) -> None:
    made = await me.prompts.create(talk.id, user_input="?")
    await me.prompts.start(made.id)
    # In characters, as Python counts them.
    assert await me.prompts.append_partial(made.id, "\U0001f600é", offset=0) == 2
    for text, offset in (("\U0001f600é", 0), ("x", 1), ("x", 3)):
        with pytest.raises(dal.StaleVersionError) as refused:
            await me.prompts.append_partial(made.id, text, offset=offset)
        assert (refused.value.expected, refused.value.actual) == (offset, 2)
    assert await me.prompts.append_partial(made.id, "!", offset=2) == 3
    await me.prompts.cancel(made.id)
    assert (await me.prompts.get(made.id)).response == "\U0001f600é!"


async def test_a_new_attempt_begins_with_nothing(me: dal.Session, talk: dal.Conversation) -> None:
    made = await me.prompts.create(talk.id, user_input="?")
    await me.prompts.start(made.id)
    await me.prompts.append_partial(made.id, "half", offset=0)
    await me.prompts.fail(made.id, error_code="e", error_message="m")
    assert (await me.prompts.get(made.id)).response == "half"
    await me.prompts.retry(made.id)
    started = await me.prompts.start(made.id)
    assert (started.response, started.error_code, started.error_message) == (None, None, None)


async def test_the_same_key_gives_the_first_prompt_back(
    me: dal.Session, talk: dal.Conversation
) -> None:
    made = await asyncio.gather(
        *(me.prompts.create(talk.id, user_input=str(n), idempotency_key="k") for n in range(8))
    )
    first = await me.prompts.get(made[0].id)
    assert made == [first] * 8
    found = await me.conversations.get(talk.id)
    assert (found.last_sequence, found.message_count) == (1, 1)
    # Of each conversation by itself, and byte by byte.
    other = await me.conversations.create(title="other")
    assert (await me.prompts.create(other.id, user_input="", idempotency_key="k")) != first
    assert (await me.prompts.create(talk.id, user_input="", idempotency_key="K")) != first
    # A prompt that is deleted keeps its key: it can come back.
    await me.prompts.soft_delete(first.id)
    with pytest.raises(dal.UniqueError) as refused:
        await me.prompts.create(talk.id, user_input="", idempotency_key="k")
    assert refused.value.constraint == "uq_prompts_idempotency"


async def test_what_a_prompt_follows(db: dal.Database, me: dal.Session) -> None:
    talk = await me.conversations.create(title="t")
    first, second = [await me.prompts.create(talk.id, user_input=str(n)) for n in range(2)]
    branch = await me.prompts.create(talk.id, user_input="2", parent_id=first.id)
    following = await me.prompts.create(talk.id, user_input="3")
    found = [p.parent_sequence for p in (first, second, branch, following)]
    assert found == [None, 1, 1, 3]
    assert (await me.conversations.get(talk.id)).active_sequence == 4
    elsewhere = await me.conversations.create(title="other")
    theirs = await me.prompts.create(elsewhere.id, user_input="x")
    await me.prompts.soft_delete(second.id)
    for parent in (theirs.id, second.id, uuid4()):
        with pytest.raises(dal.ParentMissingError) as refused:
            await me.prompts.create(talk.id, user_input="x", parent_id=parent)
        assert refused.value.constraint == "fk_prompts_parent"
    assert (await me.conversations.get(talk.id)).last_sequence == 4


async def test_a_template_is_used_when_its_prompt_is_answered(
    db: dal.Database, me: dal.Session, talk: dal.Conversation
) -> None:
    mine = await me.templates.create(name="n", content="1")
    await me.templates.versions.commit(mine.id, content="2")

    async def uses() -> int:
        return (await me.templates.get(mine.id)).use_count

    newest = await me.prompts.create(talk.id, user_input="?", template_id=mine.id)
    made = await me.prompts.create(talk.id, user_input="?", template_id=mine.id, template_version=1)
    assert (newest.template_version, made.template_version) == (2, 1)
    await me.prompts.start(made.id)
    assert await uses() == 0
    await me.prompts.complete(made.id, response="!")
    await me.prompts.complete(made.id, response="!")
    assert await uses() == 1
    await me.prompts.create(talk.id, user_input="?", response="!", template_id=mine.id)
    assert await uses() == 2
    # Somebody else's that nobody may see is not to be used, nor a version that is not there.
    bob = db.acting_as(dal.Actor.user((await new_user(db, "Bob")).id))
    private = await bob.templates.create(name="n", content="c")
    for template, version in ((private.id, None), (private.id, 1), (mine.id, 3), (uuid4(), None)):
        with pytest.raises(dal.ParentMissingError):
            await me.prompts.create(
                talk.id, user_input="?", template_id=template, template_version=version
            )
    # One that is gone since is answered all the same.
    await me.prompts.start(newest.id)
    await me.templates.soft_delete(mine.id)
    await me.prompts.complete(newest.id, response="!")


async def test_a_completion_is_few_statements(
    me: dal.Session, talk: dal.Conversation, recorder: Recorder
) -> None:
    mine = await me.templates.create(name="n", content="1")
    made = await me.prompts.create(talk.id, user_input="?", template_id=mine.id)
    await me.prompts.start(made.id)
    recorder.clear()
    await me.prompts.complete(made.id, response="one or two words", usage={"input": 5}, cost=1)
    assert recorder.names == [
        "transaction/start",
        "prompts/find_priced_work",
        "prompts/complete",
        "usage_records/insert",
        "usage_items/insert_many",
        "prompt_postings/insert_many",
        "audit_logs/insert",
        "templates/record_use",
        "usage_days/add",
        "transaction/commit",
    ]


async def test_what_runs_when_it_is_deleted_does_not_come_back_to_life(
    me: dal.Session, talk: dal.Conversation
) -> None:
    for steps in ([], ["start"], ["start", "fail"], ["start", "complete"]):
        made = await me.prompts.create(talk.id, user_input="?")
        for step in steps:
            await STEPS[step](me.prompts, made.id)
        before = await me.prompts.get(made.id)
        await me.prompts.soft_delete(made.id)
        with pytest.raises(dal.NotFoundError):
            await me.prompts.complete(made.id, **ANSWER)
        back = await me.prompts.restore(made.id)
        is_over = before.status in ("completed", "failed")
        assert back.status == (before.status if is_over else "cancelled")


async def test_an_answer_is_found_by_its_words(me: dal.Session, talk: dal.Conversation) -> None:
    async def found(text: str) -> bool:
        return bool((await me.conversations.search(text)).rows)

    made = await me.prompts.create(talk.id, user_input="zebra")
    await me.prompts.start(made.id)
    await me.prompts.append_partial(made.id, "giraffe", offset=0)
    assert (await found("zebra"), await found("giraffe")) == (True, False)
    await me.prompts.complete(made.id, response="giraffe zebra")
    assert (await found("zebra"), await found("giraffe")) == (True, True)
    await me.prompts.soft_delete(made.id)
    assert (await found("zebra"), await found("giraffe")) == (False, False)
    await me.prompts.restore(made.id)
    assert (await found("zebra"), await found("giraffe")) == (True, True)


async def test_an_answer_is_found_by_who_was_given_the_conversation_meanwhile(
    db: dal.Database, me: dal.Session, talk: dal.Conversation, recorder: Recorder
) -> None:
    bob = await new_user(db, "Bob")
    await me.conversations.participants.add(talk.id, bob.id)
    made = await me.prompts.create(talk.id, user_input="zebra")
    await me.prompts.start(made.id)
    system = db.acting_as(dal.Actor.system("worker"))
    was_read = asyncio.Event()

    class Heard(list[str]):
        def append(self, name: str) -> None:
            super().append(name)
            if name == "prompts/find_priced_work":
                was_read.set()

    async with me.begin() as tx:
        await tx.conversations.participants.transfer(talk.id, bob.id)
        recorder.names = Heard()
        answering = asyncio.create_task(system.prompts.complete(made.id, response="giraffe"))
        # It has read the owner, and waits for the conversation, which is being given away.
        await was_read.wait()
    await answering
    as_bob = db.acting_as(dal.Actor.user(bob.id)).conversations
    assert [row.conversation.id for row in (await as_bob.search("giraffe", scope="mine")).rows] == [
        talk.id
    ]
    assert not (await me.conversations.search("giraffe", scope="mine")).rows


async def test_of_many_who_answer_one_does(me: dal.Session, talk: dal.Conversation) -> None:
    made = await me.prompts.create(talk.id, user_input="?")
    await me.prompts.start(made.id)

    async def answer(n: int) -> bool:
        try:
            await me.prompts.complete(made.id, response=str(n), usage={"input": n + 1}, cost=1)
        except dal.InvalidTransitionError:
            return False
        return True

    won = await asyncio.gather(*(answer(n) for n in range(10)))
    assert sum(won) == 1
    found = await me.prompts.get(made.id)
    assert (found.response, found.token_count) == (str(won.index(True)), won.index(True) + 1)
    totals = await me.conversations.get(talk.id)
    assert (totals.token_count, totals.cost) == (found.token_count, Decimal(1))
