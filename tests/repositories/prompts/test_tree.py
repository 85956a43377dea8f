"""What follows what: what the contract does not say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

import dal
from tests.conftest import Recorder, new_user

DEPTH: Final = 5_000


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


async def grown(me: dal.Session, *parents: int) -> tuple[UUID, list[dal.Prompt]]:
    """A conversation whose n-th prompt follows the one of that number, 0 for none."""
    talk = uuid4()
    prompts = [
        dal.ImportedPrompt(user_input=f"word{n}", response="!", token_count=1, parent_sequence=of)
        for n, of in enumerate(parents, 1)
    ]
    await me.conversations.exchange.create_many(
        [dal.ImportedConversation(title="t", id=talk, prompts=prompts)]
    )
    return talk, list((await me.prompts.list_of(talk, limit=500)).rows)


async def numbers(me: dal.Session, talk: UUID) -> dict[int, int | None]:
    rows = (await me.prompts.list_of(talk, limit=500)).rows
    return {row.sequence_number: row.parent_sequence for row in rows}


async def test_a_chain_of_5000_is_read_whole(me: dal.Session, recorder: Recorder) -> None:
    talk, _ = await grown(me, *range(DEPTH))
    last = (await me.prompts.tree.list_leaves(talk)).rows[0]
    recorder.clear()
    path = await me.prompts.tree.get_path(last.id)
    assert [row.sequence_number for row in path] == list(range(1, DEPTH + 1))
    assert len(recorder.names) == 1
    assert await me.prompts.tree.get_depth(last.id) == DEPTH - 1
    nearest = await me.prompts.tree.get_ancestors(last.id, limit=3)
    assert nearest == path[-4:-1]
    # And so is what is below: deleted, and taken back.
    assert await me.prompts.tree.soft_delete_subtree(path[0].id) == DEPTH
    assert (await me.conversations.get(talk)).message_count == 0
    assert await me.prompts.tree.restore_subtree(path[0].id) == DEPTH
    assert (await me.conversations.get(talk)).message_count == DEPTH
    assert len(await me.prompts.tree.get_path(last.id)) == DEPTH


async def test_branches_are_told(me: dal.Session) -> None:
    #  1 - 2 - 4    6 a root too
    #    \ 3 - 5
    talk, made = await grown(me, 0, 1, 1, 2, 3, 0)
    tree = me.prompts.tree

    def told(page: Any) -> list[int]:
        return [row.sequence_number for row in page.rows]

    assert told(await tree.list_children(made[0].id)) == [2, 3]
    assert told(await tree.list_siblings(made[2].id)) == [2, 3]
    assert told(await tree.list_siblings(made[0].id)) == [1, 6]
    assert told(await tree.list_leaves(talk)) == [4, 5, 6]
    first = await tree.list_leaves(talk, limit=2)
    assert (told(first), told(await tree.list_leaves(talk, limit=2, after=first.next))) == (
        [4, 5], [6],
    )  # fmt: skip
    assert [row.sequence_number for row in await tree.get_path(made[4].id)] == [1, 3, 5]
    # Each list has its own cursors.
    with pytest.raises(dal.ValueRejectedError):
        await tree.list_children(made[0].id, after=first.next)


async def test_what_followed_what_is_deleted_follows_what_that_followed(me: dal.Session) -> None:
    talk, made = await grown(me, 0, 1, 2, 2, 3)
    await me.prompts.soft_delete(made[1].id)
    assert await numbers(me, talk) == {1: None, 3: 1, 4: 1, 5: 3}
    # Back, it is a leaf: what followed it has gone on.
    assert (await me.prompts.restore(made[1].id)).parent_sequence == 1
    assert await numbers(me, talk) == {1: None, 2: 1, 3: 1, 4: 1, 5: 3}


async def test_what_comes_back_follows_what_is_there(me: dal.Session) -> None:
    talk, made = await grown(me, 0, 1, 2, 3)
    for n in (3, 2, 1):
        await me.prompts.soft_delete(made[n].id)
    assert (await me.prompts.restore(made[3].id)).parent_sequence == 1
    await me.prompts.soft_delete(made[3].id)
    await me.prompts.soft_delete(made[0].id)
    assert (await me.prompts.restore(made[3].id)).parent_sequence is None
    assert await numbers(me, talk) == {4: None}


async def test_where_a_conversation_stands(me: dal.Session) -> None:
    talk, made = await grown(me, 0, 1, 2)

    async def active() -> int | None:
        return (await me.conversations.get(talk)).active_sequence

    assert await active() == 3
    await me.prompts.tree.set_active(made[0].id)
    branch = await me.prompts.create(talk, user_input="other")
    assert (branch.parent_sequence, await active()) == (1, 4)
    await me.prompts.soft_delete(branch.id)
    assert await active() == 1
    await me.prompts.tree.set_active(made[2].id)
    await me.prompts.tree.soft_delete_subtree(made[1].id)
    assert await active() == 1
    await me.prompts.tree.soft_delete_after(made[0].id)
    assert await active() is None
    assert (await me.prompts.create(talk, user_input="anew")).parent_sequence is None


async def test_a_prompt_follows_an_earlier_one(db: dal.Database, me: dal.Session) -> None:
    talk, made = await grown(me, 0, 1, 2, 1)
    moved = await me.prompts.tree.reparent(made[3].id, made[2].id)
    assert moved.parent_sequence == 3
    _, others = await grown(me, 0)
    for parent in (made[0], made[1], made[3]):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await me.prompts.tree.reparent(made[0].id, parent.id)
        assert refused.value.field == "parent_id"
    for absent in (others[0].id, uuid4()):
        with pytest.raises(dal.ParentMissingError):
            await me.prompts.tree.reparent(made[3].id, absent)
    assert await numbers(me, talk) == {1: None, 2: 1, 3: 2, 4: 3}


async def test_deletions_of_many_and_their_restores_are_exact(
    me: dal.Session, clock: dal.ManualClock
) -> None:
    talk, made = await grown(me, 0, 1, 2, 2, 1, 5)
    before = await numbers(me, talk)

    async def found(word: str) -> bool:
        return bool((await me.conversations.search(word)).rows)

    # One of it was deleted before, by itself: it does not come back with the others.
    await me.prompts.soft_delete(made[3].id)
    clock.move(timedelta(microseconds=1))
    assert await me.prompts.tree.soft_delete_subtree(made[1].id) == 2
    assert await numbers(me, talk) == {1: None, 5: 1, 6: 5}
    assert (await me.conversations.get(talk)).token_count == 3
    assert (await found("word3"), await found("word5")) == (False, True)
    assert await me.prompts.tree.restore_subtree(made[1].id) == 2
    assert await found("word3")
    await me.prompts.restore(made[3].id)
    assert await numbers(me, talk) == before
    assert await me.prompts.tree.soft_delete_after(made[4].id) == 2
    assert await numbers(me, talk) == {n: of for n, of in before.items() if n < 5}
    assert not await found("word6")


async def test_what_others_asked_is_the_owners_to_delete(db: dal.Database, me: dal.Session) -> None:
    bob = await new_user(db, "Bob")
    as_bob = db.acting_as(dal.Actor.user(bob.id))
    talk = await me.conversations.create(title="t")
    await me.conversations.participants.add(talk.id, bob.id, "collaborator")
    theirs = await as_bob.prompts.create(talk.id, user_input="?")
    mine = await me.prompts.create(talk.id, user_input="!")
    for call in (as_bob.prompts.tree.soft_delete_subtree, as_bob.prompts.tree.soft_delete_after):
        with pytest.raises(dal.PermissionDeniedError):
            await call(theirs.id)
    await me.prompts.soft_delete(mine.id)
    assert await as_bob.prompts.tree.soft_delete_subtree(theirs.id) == 1


async def test_a_follow_up_asks_the_same_model_in_the_same_way(me: dal.Session) -> None:
    talk = await me.conversations.create(title="t")
    first = await me.prompts.create(
        talk.id, user_input="?", response="!", system_prompt="be kind", model="m", provider="p",
        settings={"temperature": 0}, usage={"input": 5},
    )  # fmt: skip
    await me.prompts.create(talk.id, user_input="elsewhere")
    made = await me.prompts.tree.follow_up(first.id, user_input="and?")
    assert (made.parent_sequence, made.token_count, made.status) == (1, 0, "pending")
    for name in ("system_prompt", "model", "provider", "settings"):
        assert getattr(made, name) == getattr(first, name)


async def test_a_fork_is_ones_own(db: dal.Database, me: dal.Session) -> None:
    bob = await new_user(db, "Bob")
    as_bob = db.acting_as(dal.Actor.user(bob.id))
    talk, made = await grown(me, 0, 1, 1, 3)
    await me.conversations.participants.add(talk, bob.id)
    waiting = await me.prompts.create(talk, user_input="word5")
    fork = await as_bob.conversations.exchange.fork(waiting.id, title="mine")
    assert (fork.title, fork.owner_id) == ("mine", bob.id)
    rows = (await as_bob.prompts.list_of(fork.id)).rows
    assert [row.user_input for row in rows] == ["word1", "word3", "word4", "word5"]
    assert [row.parent_sequence for row in rows] == [None, 1, 2, 3]
    assert {row.author_id for row in rows} == {bob.id}
    assert rows[-1].status == "cancelled"
    assert [row.created_at for row in rows[:2]] == [made[0].created_at, made[2].created_at]
    # Nobody else sees it, and it stays when what it came from goes.
    with pytest.raises(dal.NotFoundError):
        await me.conversations.get(fork.id)
    await me.conversations.soft_delete(talk)
    assert len((await as_bob.conversations.search("word3")).rows) == 1
