"""Tasks at once on one row: one wins, the others are told why, nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

import pytest

import dal
from tests.conftest import new_user
from tests.repositories.conftest import Root

T = TypeVar("T")


async def all_of(*work: Awaitable[T]) -> list[T | BaseException]:
    return await asyncio.gather(*work, return_exceptions=True)


def kinds(results: list[T | BaseException]) -> list[str]:
    return sorted(type(r).__name__ if isinstance(r, BaseException) else "done" for r in results)


async def test_two_commits_on_one_head(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(name="n", content="0")
    for head in range(1, 6):
        results = await all_of(
            *(
                as_ada.templates.versions.commit(
                    made.id, content=f"{head} {who}", expected_head=head
                )
                for who in ("left", "right")
            )
        )
        assert kinds(results) == ["StaleVersionError", "done"]
        (stale,) = [r for r in results if isinstance(r, dal.StaleVersionError)]
        assert (stale.expected, stale.actual) == (head, head + 1)
        (won,) = [r for r in results if isinstance(r, dal.TemplateVersion)]
        fresh = await as_ada.templates.get(made.id)
        assert (fresh.head_version, fresh.content) == (head + 1, won.content)


async def test_many_commits_give_every_number_once(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(name="n", content="0")
    n = 24
    versions = await asyncio.gather(
        *(as_ada.templates.versions.commit(made.id, content=f"text {i}") for i in range(n))
    )
    assert sorted(v.version for v in versions) == list(range(2, n + 2))
    listed = (await as_ada.templates.versions.list_of(made.id)).rows
    assert [v.version for v in listed] == list(range(n + 1, 0, -1))
    for version in versions:
        assert await as_ada.templates.versions.get(made.id, version.version) == version
    fresh = await as_ada.templates.get(made.id)
    assert fresh.content == max(versions, key=lambda v: v.version).content
    assert len((await as_ada.audit.list_mine()).rows) == n + 1


async def test_the_same_text_at_once_is_one_version(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(name="n", content="0")
    versions = await asyncio.gather(
        *(as_ada.templates.versions.commit(made.id, content="the same") for _ in range(8))
    )
    assert {v.version for v in versions} == {2}
    assert len({v.content_sha256 for v in versions}) == 1
    assert len((await as_ada.templates.versions.list_of(made.id)).rows) == 2


async def test_a_lost_update_is_refused_though_the_clock_stands_still(
    as_ada: dal.Session,
) -> None:
    """Two changes in one microsecond: the second was made without knowing of the first."""
    made = await as_ada.templates.create(name="n", content="0")
    seen = made.updated_at
    first = await as_ada.templates.update_details(made.id, name="a", expected_updated_at=seen)
    assert first.updated_at > seen
    with pytest.raises(dal.StaleVersionError) as caught:
        await as_ada.templates.update_details(made.id, name="b", expected_updated_at=seen)
    assert (caught.value.expected, caught.value.actual) == (seen, first.updated_at)
    committed = await as_ada.templates.versions.commit(made.id, content="1")
    with pytest.raises(dal.StaleVersionError):
        await as_ada.templates.update_details(
            made.id, name="b", expected_updated_at=first.updated_at
        )
    fresh = await as_ada.templates.get(made.id)
    assert (fresh.name, fresh.head_version) == ("a", committed.version)
    done = await as_ada.templates.update_details(
        made.id, name="b", expected_updated_at=fresh.updated_at
    )
    assert done == await as_ada.templates.get(made.id)


async def test_a_clock_that_goes_back_does_not_hide_a_change(
    db: dal.Database, clock: dal.ManualClock, as_ada: dal.Session
) -> None:
    clock.move(timedelta(seconds=10))
    made = await as_ada.templates.create(name="n", content="0")
    clock.move(timedelta(seconds=-5))
    try:
        changed = await as_ada.templates.update_details(made.id, name="other")
        assert changed.updated_at > made.updated_at
        assert changed == await as_ada.templates.get(made.id)
        await as_ada.templates.soft_delete(made.id)
        back = await as_ada.templates.restore(made.id)
        assert back.updated_at >= changed.updated_at
    finally:
        clock.move(timedelta(seconds=5))


async def test_details_at_once(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(name="n", content="0", tags=["start"])
    results = await all_of(
        *(
            as_ada.templates.update_details(
                made.id, name=f"name {i}", tags=[f"t{i}"], expected_updated_at=made.updated_at
            )
            for i in range(8)
        )
    )
    assert kinds(results) == ["StaleVersionError"] * 7 + ["done"]
    (won,) = [r for r in results if isinstance(r, dal.Template)]
    assert await as_ada.templates.get(made.id) == won
    # Without the guard the last one wins, whole: no name of one with the tags of another.
    await asyncio.gather(
        *(as_ada.templates.update_details(made.id, name=f"n{i}", tags=[f"t{i}"]) for i in range(8))
    )
    fresh = await as_ada.templates.get(made.id)
    assert fresh.tags == {fresh.name.replace("n", "t")}


async def test_restore_against_purge(as_ada: dal.Session) -> None:
    for _ in range(8):
        made = await as_ada.templates.create(name="n", content="0")
        await as_ada.templates.soft_delete(made.id)
        results = await all_of(
            as_ada.templates.restore(made.id), as_ada.templates.trash.purge(made.id)
        )
        assert kinds(results) == ["NotFoundError", "done"]
        restored = isinstance(results[0], dal.Template)
        assert await as_ada.templates.exists(made.id) == restored
        taken = await as_ada.templates.exchange.list_taken_ids([made.id])
        assert bool(taken) == restored
        actions = [e.action for e in (await as_ada.audit.list_mine(limit=1)).rows]
        assert actions == ["template.restore" if restored else "template.purge"]


async def test_soft_delete_at_once_is_done_once(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(name="n", content="0")
    results = await all_of(*(as_ada.templates.soft_delete(made.id) for _ in range(6)))
    assert kinds(results) == ["NotFoundError"] * 5 + ["done"]
    actions = [e.action for e in (await as_ada.audit.list_mine()).rows]
    assert actions == ["template.soft_delete", "template.create"]


async def test_one_address_by_ten_at_once(system: dal.Session) -> None:
    email = f"{uuid4()}@race.example"
    results = await all_of(
        *(
            system.users.create(email=email.upper() if i % 2 else email, full_name=str(i))
            for i in range(10)
        )
    )
    assert kinds(results) == ["UniqueError"] * 9 + ["done"]
    refused = [r for r in results if isinstance(r, dal.UniqueError)]
    assert {r.constraint for r in refused} == {"uq_users_email_live"}
    # The address is nobody's business.
    assert not any(email.split("@")[0] in str(r).lower() for r in refused)
    (won,) = [r for r in results if isinstance(r, dal.User)]
    assert await system.users.find_by_email(email) == won


async def test_an_address_is_free_again_and_restore_clashes(system: dal.Session) -> None:
    email = f"{uuid4()}@race.example"
    first = await system.users.create(email=email, full_name="first")
    await system.users.soft_delete(first.id)
    second = await system.users.create(email=email, full_name="second")
    with pytest.raises(dal.UniqueError) as caught:
        await system.users.restore(first.id)
    assert caught.value.constraint == "uq_users_email_live"
    assert await system.users.find_by_email(email) == second
    assert await system.users.find(first.id) is None
    await system.users.soft_delete(second.id)
    back = await system.users.restore(first.id)
    assert await system.users.find_by_email(email) == back
    actions = [e.action for e in (await system.audit.list_of_target("user", first.id)).rows]
    # The refused restore left nothing.
    assert actions == ["user.restore", "user.soft_delete", "user.create"]


async def test_owner_deleted_while_children_are_made(
    db: dal.Database, system: dal.Session, root: Root
) -> None:
    """Whoever comes second sees the first: no live child is made under a dead owner."""
    for _ in range(4):
        owner = await new_user(db)
        me = db.acting_as(dal.Actor.user(owner.id))
        made = await me.templates.create(name="n", content="0")
        results = await all_of(
            me.templates.create(name="a", content="c"),
            me.templates.create(name="b", content="c", category="C", tags=["t"]),
            me.templates.exchange.create_many([dal.NewTemplate(name="c", content="c")]),
            system.users.soft_delete(owner.id),
            me.templates.versions.commit(made.id, content="1"),
            me.templates.update_details(made.id, name="m", tags=["u"]),
        )
        assert results[3] is None
        creates = set(kinds(results[:3]))
        assert creates <= {"done", "ParentMissingError"}
        assert set(kinds(results[4:])) <= {"done", "NotFoundError"}
        # Now nobody sees any of them; and all that is done is done whole.
        assert await me.templates.count_mine() == 0
        stored = root(
            "SELECT COUNT(*), COUNT(v.template_id) FROM templates AS t LEFT JOIN"
            " template_versions AS v ON v.template_id = t.id AND v.version = t.head_version"
            " WHERE t.owner_id = %s",
            owner.id.bytes,
        )
        n_made = 1 + sum(not isinstance(r, BaseException) for r in results[:3])
        assert stored == [(n_made, n_made)]
        await system.users.restore(owner.id)
        assert await me.templates.count_mine() == n_made


async def test_trash_is_emptied_by_several_at_once(
    system: dal.Session, clock: dal.ManualClock, as_ada: dal.Session
) -> None:
    clock.move(timedelta(seconds=1))
    while await system.templates.trash.purge_deleted(older_than=timedelta(0)) == 1000:
        pass
    made = await as_ada.templates.exchange.create_many(
        dal.NewTemplate(name="n", content="c", tags=["t"]) for _ in range(60)
    )
    for template in made:
        await as_ada.templates.soft_delete(template.id)
    kept = await as_ada.templates.create(name="kept", content="c")
    clock.move(timedelta(days=31))
    in_trash = await as_ada.templates.create(name="young", content="c")
    await as_ada.templates.soft_delete(in_trash.id)
    month = timedelta(days=30)
    purged = await asyncio.gather(
        *(system.templates.trash.purge_deleted(older_than=month, batch=20) for _ in range(6))
    )
    purged += [await system.templates.trash.purge_deleted(older_than=month, batch=100)]
    assert sum(purged) == 60
    assert await as_ada.templates.trash.count_mine() == 1
    assert await as_ada.templates.get(kept.id) == kept
