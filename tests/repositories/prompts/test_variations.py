"""Variations: one selected, numbers without doubles, what deleting and moving makes of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import dal
from tests.conftest import new_user


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


@pytest.fixture
async def talk(me: dal.Session) -> dal.Conversation:
    return await me.conversations.create(title="t")


async def test_a_variation_asks_again_as_it_was_asked(
    me: dal.Session, talk: dal.Conversation
) -> None:
    mine = await me.templates.create(name="n", content="1")
    first = await me.prompts.create(
        talk.id, user_input="?", system_prompt="kind", provider="p", model="m",
        settings={"temperature": 1}, max_attempts=7, template_id=mine.id, response="!",
    )  # fmt: skip
    same = await me.prompts.variations.create(first.id)
    named = ("user_input", "system_prompt", "provider", "model", "settings", "max_attempts",
             "template_id", "template_version", "parent_sequence")  # fmt: skip
    assert [getattr(same, name) for name in named] == [getattr(first, name) for name in named]
    # Another model is not of the same provider, unless that is said.
    other = await me.prompts.variations.create(same.id, model="n", idempotency_key="k")
    assert (other.provider, other.model, other.variation_number) == (None, "n", 3)
    assert await me.prompts.variations.create(same.id, idempotency_key="k") == other
    found = await me.prompts.variations.list_of(other.id)
    assert [one.id for one in found] == [first.id, same.id, other.id]
    assert (
        await me.prompts.variations.list_of(
            (await me.prompts.create(talk.id, user_input="alone")).id
        )
        == ()
    )


async def test_many_at_once_have_numbers_of_their_own(
    me: dal.Session, talk: dal.Conversation
) -> None:
    first = await me.prompts.create(talk.id, user_input="?")
    made = await asyncio.gather(*(me.prompts.variations.create(first.id) for _ in range(8)))
    assert sorted(one.variation_number or 0 for one in made) == list(range(2, 10))
    await asyncio.gather(*(me.prompts.variations.select(one.id) for one in made))
    found = await me.prompts.variations.list_of(first.id)
    assert sum(one.is_selected for one in found) == 1
    assert len(found) == 9


async def test_the_conversation_goes_on_with_the_selected_one(
    me: dal.Session, talk: dal.Conversation
) -> None:
    first = await me.prompts.create(talk.id, user_input="1")
    second = await me.prompts.variations.create(first.id)
    assert (await me.conversations.get(talk.id)).active_sequence == 1
    await me.prompts.variations.select(second.id)
    assert (await me.conversations.get(talk.id)).active_sequence == 2
    after = await me.prompts.create(talk.id, user_input="2")
    assert after.parent_sequence == 2
    # It stands elsewhere now: selecting changes what counts, not where it stands.
    await me.prompts.variations.select(first.id)
    assert (await me.conversations.get(talk.id)).active_sequence == 3


async def test_a_deleted_one_is_selected_no_more(me: dal.Session, talk: dal.Conversation) -> None:
    first = await me.prompts.create(talk.id, user_input="1")
    second = await me.prompts.variations.create(first.id)
    await me.prompts.soft_delete(first.id)
    (left,) = await me.prompts.variations.list_of(second.id)
    assert not left.is_selected
    await me.prompts.variations.select(second.id)
    back = await me.prompts.restore(first.id)
    assert (back.is_selected, back.variation_number) == (False, 1)
    # A number is not given again.
    await me.prompts.soft_delete(second.id)
    assert (await me.prompts.variations.create(first.id)).variation_number == 3


async def test_what_comes_back_follows_what_its_variations_follow(
    me: dal.Session, talk: dal.Conversation
) -> None:
    root = await me.prompts.create(talk.id, user_input="root")
    middle = await me.prompts.create(talk.id, user_input="middle")
    first = await me.prompts.create(talk.id, user_input="first")
    second = await me.prompts.variations.create(first.id)
    await me.prompts.soft_delete(second.id)
    # The live one moves up; the middle comes back without it.
    await me.prompts.soft_delete(middle.id)
    await me.prompts.restore(middle.id)
    back = await me.prompts.restore(second.id)
    assert back.parent_sequence == root.sequence_number
    moved = await me.prompts.get(first.id)
    assert moved.parent_sequence == root.sequence_number
    assert moved.variation_group == back.variation_group is not None


async def test_one_that_follows_something_else_is_a_variation_no_more(
    me: dal.Session, talk: dal.Conversation
) -> None:
    root = await me.prompts.create(talk.id, user_input="root")
    first = await me.prompts.create(talk.id, user_input="first")
    second = await me.prompts.variations.create(first.id)
    same = await me.prompts.tree.reparent(second.id, root.id)
    assert same.variation_number == 2
    moved = await me.prompts.tree.reparent(first.id, None)
    assert (moved.variation_group, moved.variation_number, moved.is_selected) == (None, None, False)
    assert [one.id for one in await me.prompts.variations.list_of(second.id)] == [second.id]
    with pytest.raises(dal.ValueRejectedError) as refused:
        await me.prompts.variations.select(first.id)
    assert refused.value.field == "prompt_id"
    # Its new variations are others.
    third = await me.prompts.variations.create(first.id)
    found = await me.prompts.variations.list_of(first.id)
    assert [one.id for one in found] == [first.id, third.id]


async def test_variations_of_another_conversation_are_not_touched(
    me: dal.Session, talk: dal.Conversation
) -> None:
    other = await me.conversations.create(title="o")
    groups = []
    for of in (talk, other):
        first = await me.prompts.create(of.id, user_input="?")
        groups.append((first, await me.prompts.variations.create(first.id)))
    await me.prompts.variations.select(groups[0][1].id)
    assert [one.is_selected for one in await me.prompts.variations.list_of(groups[1][0].id)] == [
        True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("rating", "feedback"), [
    (0, None), (6, None), (True, None), (2.0, None), (None, None), ("3", None),
    (3, 1), (3, "\ud800"), (3, "x" * 65_536),
])  # fmt: skip
async def test_a_rating_that_cannot_be_stored_is_named(
    me: dal.Session, talk: dal.Conversation, rating: Any, feedback: Any
) -> None:
    made = await me.prompts.create(talk.id, user_input="?", response="!")
    with pytest.raises(dal.ValueRejectedError) as refused:
        await me.prompts.ratings.set(made.id, rating, feedback=feedback)
    assert refused.value.field == ("feedback" if rating == 3 and type(rating) is int else "rating")
    assert await me.prompts.get(made.id) == made


@pytest.mark.parametrize("status", ["pending", "processing", "failed", "cancelled"])
async def test_only_an_answer_is_rated(
    me: dal.Session, talk: dal.Conversation, status: str
) -> None:
    made = await me.prompts.create(talk.id, user_input="?")
    if status in ("processing", "failed"):
        await me.prompts.start(made.id)
    if status == "failed":
        await me.prompts.fail(made.id, error_code="e")
    if status == "cancelled":
        await me.prompts.cancel(made.id)
    for rate in (me.prompts.ratings.set(made.id, 3), me.prompts.ratings.clear(made.id)):
        with pytest.raises(dal.InvalidTransitionError) as refused:
            await rate
        assert (refused.value.current, refused.value.wanted) == (status, "completed")
