"""The end of an account: what others have stays theirs, what was private is gone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest

import dal
from dal.repositories.users.deletion import KEEPER_ID
from tests.conftest import Recorder, new_user
from tests.repositories.conftest import Root, Rows
from tests.repositories.users.test_export import busy

# Every table in which a user is named or has something, and how; what stays is a fact without a
# name, or sums.
OF_A_USER: Final = {
    "user_tokens": "user_id = %s",
    "templates": "owner_id = %s",
    "template_ratings": "user_id = %s",
    "conversations": "owner_id = %s",
    "conversation_participants": "user_id = %s",
}


def session(db: dal.Database, user: dal.User) -> dal.Session:
    return db.acting_as(dal.Actor.user(user.id))


def left_of(root: Root, user: dal.User) -> dict[str, int]:
    """How many rows of each table are a user's."""
    return {
        table: root(f"SELECT COUNT(*) FROM {table} WHERE {where}", user.id.bytes)[0][0]
        for table, where in OF_A_USER.items()
    }


def of_bob(root: Root, bob: dal.User) -> tuple[Rows, ...]:
    """What another user has: templates and conversations, with all that hangs on them."""
    mine = "SELECT id FROM templates WHERE owner_id = %s"
    talks = "SELECT id FROM conversations WHERE owner_id = %s"
    return tuple(
        root(f"SELECT * FROM {table} WHERE {where} ORDER BY 1, 2", bob.id.bytes)
        for table, where in (
            ("users", "id = %s"),
            ("templates", "owner_id = %s"),
            ("template_versions", f"template_id IN ({mine})"),
            ("template_labels", f"template_id IN ({mine})"),
            ("template_ratings", "user_id = %s"),
            ("conversations", "owner_id = %s"),
            ("prompts", f"conversation_id IN ({talks})"),
            ("usage_records", f"conversation_id IN ({talks})"),
        )
    )


async def test_what_was_private_is_gone_and_others_lose_nothing(
    db: dal.Database, clock: dal.ManualClock, root: Root
) -> None:
    ada, bob = await busy(db, clock)
    me, they = session(db, ada), session(db, bob)
    (mine,) = (await me.conversations.list_mine()).rows
    public = (await me.templates.list_mine()).rows[0]
    theirs = (await they.templates.list_mine()).rows[0]
    private = await me.templates.create(name="private", content="c")
    await me.templates.labels.set(private.id, "production", 1)
    alone = await me.conversations.create(title="alone")
    await me.prompts.create(alone.id, user_input="to myself")
    link = await me.conversations.shares.create(mine.id)
    before = of_bob(root, bob)
    rated = root("SELECT rating_sum, rating_count FROM templates WHERE id = %s", theirs.id.bytes)
    assert rated == [(4, 1)]
    prompts = root("SELECT * FROM prompts WHERE conversation_id = %s ORDER BY id", mine.id.bytes)
    spent = root("SELECT * FROM usage_records WHERE user_id = %s ORDER BY 1, 2", ada.id.bytes)
    clock.move(timedelta(days=1))

    done = await me.users.delete_account(ada.id)
    assert done == dal.AccountDeletion(
        conversations_given=1, templates_kept=1, templates_purged=2, conversations_purged=1
    )
    assert left_of(root, ada) == dict.fromkeys(OF_A_USER, 0)
    # What was shared is Bob's, as it was; so are his rating and what was spent.
    talk = await they.conversations.get(mine.id)
    assert (talk.owner_id, talk.message_count) == (bob.id, mine.message_count)
    assert prompts == root(
        "SELECT * FROM prompts WHERE conversation_id = %s ORDER BY id", mine.id.bytes
    )
    assert spent == root(
        "SELECT * FROM usage_records WHERE user_id = %s ORDER BY 1, 2", ada.id.bytes
    )
    kept = await they.templates.get(public.id)
    assert (kept.owner_id, kept.rating_count) == (KEEPER_ID, 1)
    # Of his own, the rating that Ada withdrew alone.
    assert root(
        "SELECT rating_sum, rating_count FROM templates WHERE id = %s", theirs.id.bytes
    ) == [(0, 0)]
    after = of_bob(root, bob)
    for n in (0, 2, 3, 4):
        assert after[n] == before[n], n
    for n in (5, 6, 7):
        assert set(after[n]) >= set(before[n]), n
    assert len(after[1]) == len(before[1])
    # Nobody gets in, by nothing; and nobody takes it out of the trash.
    with pytest.raises(dal.NotFoundError):
        await db.acting_as(dal.Actor.system("tests")).users.restore(ada.id)
    with pytest.raises(dal.NotFoundError):
        await they.conversations.shares.open(link.token.reveal())
    with pytest.raises(dal.ParentMissingError):
        await me.templates.create(name="late", content="c")
    ((email, name, password, preferences),) = root(
        "SELECT email, full_name, password_hash, preferences FROM users WHERE id = %s",
        ada.id.bytes,
    )
    assert (email, name, password) == (f"{ada.id.hex}@accounts.invalid", "Former user", None)
    assert preferences == "{}"


async def test_killed_anywhere_and_called_again_it_ends_the_same(
    db: dal.Database, clock: dal.ManualClock, root: Root, recorder: Recorder
) -> None:
    """Each kill falls a few statements further on; what is shared or public is seen all along."""
    ada, bob = await busy(db, clock)
    me, they = session(db, ada), session(db, bob)
    for n in range(4):
        talk = await me.conversations.create(title=f"talk {n}")
        await me.prompts.create(talk.id, user_input="?")
        if n % 2:
            await me.conversations.participants.add(talk.id, bob.id, role="viewer")
        visibility = "public" if n % 2 else "private"
        await me.templates.create(name=f"t{n}", content="c", visibility=visibility)
    shared = _talks_of(root, bob)
    public = {t.id for t in (await me.templates.list_mine()).rows if t.visibility == "public"}
    kills = 0
    for budget in range(3, 2_000, 4):
        recorder.clear()
        task = asyncio.create_task(me.users.delete_account(ada.id, batch=2))
        # What is waited for is a statement.
        while not task.done() and len(recorder.names) < budget:  # noqa: ASYNC110
            await asyncio.sleep(0)
        if task.done():
            await task
            break
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        kills += 1
        for talk_id in shared:
            assert (await they.conversations.get(talk_id)).id == talk_id
        for template_id in public:
            assert (await they.templates.get(template_id)).id == template_id
    assert kills >= 10
    assert left_of(root, ada) == dict.fromkeys(OF_A_USER, 0)
    assert _talks_of(root, bob) == shared
    system = db.acting_as(dal.Actor.system("tests"))
    entries = (await system.audit.list_of_target("user", ada.id, limit=100)).rows
    told = [entry for entry in entries if entry.action == "user.delete_account"]
    closed = [entry for entry in told if "accounts" in entry.changes]
    assert len(closed) == 1
    given = sum(e.changes.get("conversations_given", {"from": 0})["from"] for e in told)
    kept = sum(e.changes.get("templates_kept", {"from": 0})["from"] for e in told)
    assert (given, kept) == (3, 3)


def _talks_of(root: Root, user: dal.User) -> set[UUID]:
    rows = root("SELECT conversation_id FROM conversation_participants WHERE user_id = %s",
                user.id.bytes)  # fmt: skip
    return {UUID(bytes=row[0]) for row in rows}


async def test_a_conversation_goes_to_the_collaborator_who_came_first(
    db: dal.Database, clock: dal.ManualClock
) -> None:
    ada, *people = [await new_user(db, name) for name in ("Ada", "Vi", "Co", "Col", "Gone")]
    vi, co, col, gone = people
    me = session(db, ada)
    talk = await me.conversations.create(title="talk")
    viewed = await me.conversations.create(title="viewed")
    for user, role in ((vi, "viewer"), (gone, "collaborator"), (co, "collaborator"),
                       (col, "collaborator")):  # fmt: skip
        clock.move(timedelta(seconds=1))
        await me.conversations.participants.add(talk.id, user.id, role=role)
    await me.conversations.participants.add(viewed.id, vi.id, role="viewer")
    await db.acting_as(dal.Actor.system("tests")).users.soft_delete(gone.id)
    await me.users.delete_account(ada.id)
    assert (await session(db, col).conversations.get(talk.id)).owner_id == co.id
    assert (await session(db, vi).conversations.get(viewed.id)).owner_id == vi.id


async def test_two_who_end_at_once_and_share_all(db: dal.Database, root: Root) -> None:
    ada, bob = await new_user(db, "Ada"), await new_user(db, "Bob")
    for one, other in ((ada, bob), (bob, ada)):
        me = session(db, one)
        for n in range(3):
            talk = await me.conversations.create(title=f"{n}")
            await me.conversations.participants.add(talk.id, other.id, role="collaborator")
            await me.templates.create(name=f"{n}", content="c", visibility="public")
    await asyncio.gather(*(session(db, u).users.delete_account(u.id, batch=2) for u in (ada, bob)))
    assert left_of(root, ada) == left_of(root, bob) == dict.fromkeys(OF_A_USER, 0)


async def test_the_account_of_former_users_stays(db: dal.Database, clock: dal.ManualClock) -> None:
    ada, _ = await busy(db, clock)
    system = db.acting_as(dal.Actor.system("tests"))
    await system.users.delete_account(ada.id)
    with pytest.raises(dal.NotFoundError):
        await system.users.delete_account(KEEPER_ID)
    assert not (await system.users.get(KEEPER_ID)).is_active
