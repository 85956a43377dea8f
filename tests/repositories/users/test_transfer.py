"""A transfer between accounts: all that is owned, once, whatever happens on the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

import dal
from dal.repositories.users.transfer import UserTransfers
from tests.conftest import Recorder, new_user
from tests.repositories.conftest import Root


def session(db: dal.Database, user: dal.User) -> dal.Session:
    return db.acting_as(dal.Actor.user(user.id))


async def owned(me: dal.Session) -> tuple[set[UUID], set[UUID]]:
    """The conversations and templates that somebody has in their lists as the owner."""
    talks = {talk.conversation.id async for talk in me.conversations.exchange.export()}
    return talks, {template.id async for template in me.templates.exchange.stream()}


async def test_what_is_owned_changes_hands_and_the_rest_stays_a_fact(
    db: dal.Database, clock: dal.ManualClock, root: Root
) -> None:
    system = db.acting_as(dal.Actor.system("tests"))
    ada, bob, eve = [await new_user(db, name) for name in ("Ada", "Bob", "Eve")]
    me, heir, other = (session(db, user) for user in (ada, bob, eve))
    public = await me.templates.create(name="quokka", content="c", visibility="public")
    private = await me.templates.create(name="wombat", content="c", tags=["t"])
    await me.templates.labels.set(private.id, "production", 1)
    await me.templates.versions.commit(private.id, content="d")
    trashed = await me.templates.create(name="gone", content="c")
    await me.templates.soft_delete(trashed.id)
    await other.templates.ratings.set(public.id, 5)
    await heir.templates.ratings.set(public.id, 2)
    fork = await other.templates.versions.fork(public.id)
    alone = await me.conversations.create(title="numbat")
    joined = await me.conversations.create(title="shared")
    await me.conversations.participants.add(joined.id, bob.id, role="viewer")
    await me.conversations.participants.add(joined.id, eve.id, role="collaborator")
    link = await me.conversations.shares.create(joined.id)
    archived = await me.conversations.create(title="archived")
    await me.conversations.archive(archived.id)
    theirs = await other.conversations.create(title="of Eve")
    await other.conversations.participants.add(theirs.id, ada.id, role="collaborator")
    asked = await me.prompts.create(joined.id, user_input="why bilby?")
    clock.move(timedelta(hours=1))
    ratings = root("SELECT rating_sum, rating_count FROM templates WHERE id = %s", public.id.bytes)
    versions = root("SELECT * FROM template_versions WHERE template_id = %s", private.id.bytes)
    labels = root("SELECT * FROM template_labels WHERE template_id = %s", private.id.bytes)

    given = await system.users.transfer(ada.id, bob.id)
    assert given == dal.AccountTransfer(conversations=3, templates=2, is_done=True)
    assert await owned(heir) == ({alone.id, joined.id, archived.id}, {public.id, private.id})
    assert await owned(me) == (set(), set())
    assert await system.users.transfer(ada.id, bob.id) == dal.AccountTransfer(0, 0, True)
    # Facts stay.
    assert (
        ratings
        == [(7, 2)]
        == root("SELECT rating_sum, rating_count FROM templates WHERE id = %s", public.id.bytes)
    )
    assert versions == root(
        "SELECT * FROM template_versions WHERE template_id = %s", private.id.bytes
    )
    assert labels == root("SELECT * FROM template_labels WHERE template_id = %s", private.id.bytes)
    assert (await other.templates.get(fork.id)).forked_from_id == public.id
    assert (await heir.prompts.get(asked.id)).author_id == ada.id
    assert (await me.templates.trash.get_including_deleted(trashed.id)).owner_id == ada.id
    # Who gave it stays in it; the link is dead; who took part takes part.
    people = (await other.conversations.participants.list_of(joined.id)).rows
    roles = {one.user_id: one.role for one in people}
    assert roles == {ada.id: "collaborator", bob.id: "owner", eve.id: "collaborator"}
    with pytest.raises(dal.NotFoundError):
        await other.conversations.shares.open(link.token.reveal())
    # Found by the new owner, by name and by what was asked, and not by the old one.
    assert [hit.template.id for hit in (await heir.templates.search("wombat")).rows] == [private.id]
    assert not (await me.templates.search("wombat")).rows
    assert [hit.conversation.id for hit in (await heir.conversations.search("numbat")).rows] == [
        alone.id
    ]
    assert [hit.prompt.id for hit in (await heir.prompts.search("bilby")).rows] == [asked.id]


async def test_batches_follow_each_other_until_nothing_is_left(
    db: dal.Database, recorder: Recorder
) -> None:
    system = db.acting_as(dal.Actor.system("tests"))
    ada, bob = await new_user(db, "Ada"), await new_user(db, "Bob")
    me, heir = session(db, ada), session(db, bob)
    for n in range(5):
        await me.templates.create(name=f"t{n}", content="c")
        await me.conversations.create(title=f"c{n}")
    whole = await owned(me)
    steps = []
    while True:
        step = await system.users.transfer(ada.id, bob.id, batch=3)
        steps.append((step.conversations, step.templates))
        mine, theirs = await owned(me), await owned(heir)
        assert (mine[0] | theirs[0], mine[1] | theirs[1]) == whole
        assert not mine[0] & theirs[0]
        assert not mine[1] & theirs[1]
        if step.is_done:
            break
    assert steps == [(3, 0), (2, 1), (0, 3), (0, 1)]
    assert await owned(heir) == whole
    entries = await system.audit.list_of_target("user", ada.id)
    told = [entry for entry in entries.rows if entry.action == "user.transfer"]
    assert sum(entry.affected for entry in told) == 10
    templates = {UUID(t) for entry in told for t in entry.changes["templates"]["to"] or ()}
    assert templates == whole[1]


async def test_a_transfer_beside_another_and_a_writer_gives_each_thing_once(
    db: dal.Database,
) -> None:
    system = db.acting_as(dal.Actor.system("tests"))
    ada, bob, eve = [await new_user(db, name) for name in ("Ada", "Bob", "Eve")]
    me = session(db, ada)
    for n in range(6):
        await me.templates.create(name=f"t{n}", content="c")
        await me.conversations.create(title=f"c{n}")

    async def give(to: UUID) -> None:
        while not (await system.users.transfer(ada.id, to, batch=2)).is_done:
            pass

    async def write() -> None:
        for n in range(6, 10):
            await me.templates.create(name=f"t{n}", content="c")
            await me.conversations.create(title=f"c{n}")

    await asyncio.gather(give(bob.id), give(eve.id), write())
    await give(bob.id)
    first, second = await owned(session(db, bob)), await owned(session(db, eve))
    assert not first[0] & second[0]
    assert not first[1] & second[1]
    assert len(first[0] | second[0]) == len(first[1] | second[1]) == 10
    assert await owned(me) == (set(), set())


async def test_who_gives_and_who_gets_are_two_live_users(db: dal.Database) -> None:
    system = db.acting_as(dal.Actor.system("tests"))
    ada, gone = await new_user(db, "Ada"), await new_user(db, "Gone")
    await system.users.soft_delete(gone.id)
    with pytest.raises(dal.ValueRejectedError) as caught:
        await system.users.transfer(ada.id, ada.id)
    assert caught.value.field == "to_id"
    for one, other in ((ada, gone), (gone, ada)):
        with pytest.raises(dal.NotFoundError):
            await system.users.transfer(one.id, other.id)


async def test_one_that_is_deleted_meanwhile_stays_as_it_is(
    db: dal.Database, clock: dal.ManualClock, root: Root
) -> None:
    ada, bob = await new_user(db, "Ada"), await new_user(db, "Bob")
    talk = await session(db, ada).conversations.create(title="gone")
    await session(db, ada).conversations.soft_delete(talk.id)
    people = "SELECT * FROM conversation_participants WHERE conversation_id = %s"
    before = root(people, talk.id.bytes)
    async with db.acting_as(dal.Actor.system("tests")).begin() as tx:
        transfers = UserTransfers(tx)
        assert not await transfers.give_conversation(talk.id, ada.id, bob.id, clock.now())
    assert root(people, talk.id.bytes) == before
