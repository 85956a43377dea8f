"""Categories and tags: counted, renamed, merged, and told apart."""

from __future__ import annotations

import csv
from collections import Counter
from random import Random
from typing import Any
from uuid import uuid4

import pytest

import dal
from dal.records.text import tag_key
from tests.conftest import new_user
from tests.repositories.conftest import Root
from tests.repositories.data import data_file


def a_word() -> str:
    """A word that no other test uses."""
    return f"w{uuid4().hex}"


async def in_category(session: dal.Session, slug: str) -> dal.CategoryCount | None:
    rows = await session.categories.list_counts()
    return next((row for row in rows if row.slug == slug), None)


async def test_a_category_gets_another_name(
    as_ada: dal.Session, as_admin: dal.Session, system: dal.Session
) -> None:
    word, other = a_word(), a_word()
    made = await as_ada.templates.create(name="n", content="c", category=f"{word} Old")
    renamed = await as_admin.categories.rename(f" {word.upper()}-old ", f"{other} New/Name")
    assert (renamed.slug, renamed.name) == (f"{other}-new-name", f"{other} New/Name")
    assert (await as_ada.templates.get(made.id)).category == renamed.slug
    assert await in_category(as_ada, f"{word}-old") is None
    counted = await in_category(as_ada, renamed.slug)
    assert counted == dal.CategoryCount(renamed.slug, renamed.name, 1)
    page = await as_ada.templates.search(category=renamed.name, scope="mine")
    assert [hit.template.id for hit in page.rows] == [made.id]
    # Another spelling of the same slug is the same category.
    again = await system.categories.rename(renamed.slug, f"{other} new name")
    assert again == dal.Category(renamed.id, renamed.slug, f"{other} new name")
    assert await system.categories.rename(renamed.slug, f"{other} new name") == again
    (entry,) = (await as_admin.audit.list_mine(limit=1)).rows
    assert (entry.action, entry.target_id) == ("category.rename", renamed.id)
    with pytest.raises(dal.NotFoundError):
        await system.categories.rename(f"{word}-old", "x")
    for wrong in ("", "--", "x" * 101, None):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await system.categories.rename(renamed.slug, wrong)  # type: ignore[arg-type]
        assert caught.value.field == "name"
        with pytest.raises(dal.ValueRejectedError) as caught:
            await system.categories.rename(wrong, "x")  # type: ignore[arg-type]
        assert caught.value.field == "category"


async def test_no_name_twice_and_two_are_merged(
    as_ada: dal.Session, as_bob: dal.Session, system: dal.Session, root: Root
) -> None:
    word = a_word()
    one, two = f"{word}-one", f"{word}-two"
    first = [await as_ada.templates.create(name="n", content="c", category=one) for _ in range(3)]
    await as_ada.templates.soft_delete(first[2].id)
    await as_bob.templates.create(name="n", content="c", category=one, visibility="public")
    await as_bob.templates.create(name="n", content="c", category=two)
    with pytest.raises(dal.UniqueError):
        await system.categories.rename(one, two)
    assert (await system.categories.list_counts())[0].templates >= 1
    counts = {s: await in_category(s, one) for s in (as_ada, as_bob, system)}
    assert [count and count.templates for count in counts.values()] == [3, 1, 3]
    # The trash moves too.
    assert await system.categories.merge(one.upper(), two) == 4
    for session, expected in ((as_ada, 3), (as_bob, 2), (system, 4)):
        assert await in_category(session, one) is None
        merged = await in_category(session, two)
        assert merged == dal.CategoryCount(two, two, expected)
    assert (await as_ada.templates.get(first[0].id)).category == two
    await as_ada.templates.restore(first[2].id)
    assert (await as_ada.templates.get(first[2].id)).category == two
    (row,) = root(
        "SELECT action, affected FROM audit_logs WHERE action = 'category.merge'"
        " ORDER BY id DESC LIMIT 1"
    )
    assert row == ("category.merge", 4)
    for category, into, expected_error in (
        (one, two, dal.NotFoundError),
        (two, one, dal.NotFoundError),
        (two, two.upper(), dal.ValueRejectedError),
    ):
        with pytest.raises(expected_error):
            await system.categories.merge(category, into)
    # The name is free again.
    await as_ada.templates.create(name="n", content="c", category=one)
    assert await in_category(as_ada, one) == dal.CategoryCount(one, one, 1)


async def test_for_admins_alone(
    db: dal.Database, as_ada: dal.Session, as_nobody: dal.Session, ada: dal.User
) -> None:
    word = a_word()
    await as_ada.templates.create(name="n", content="c", category=word)
    # Who says to be an admin is one if the account is.
    liar = db.acting_as(dal.Actor.user(ada.id, role=dal.Role.ADMIN))
    for session in (as_ada, as_nobody, liar):
        with pytest.raises(dal.PermissionDeniedError):
            await session.categories.rename(word, "x")
        with pytest.raises(dal.PermissionDeniedError):
            await session.categories.merge(word, "x")
    assert await in_category(as_ada, word) is not None


async def test_every_emoji_is_a_tag_of_its_own(
    as_ada: dal.Session, as_bob: dal.Session, root: Root
) -> None:
    with data_file("emoji_collation_groups.tsv").open(encoding="utf-8", newline="") as file:
        emoji = [row["emoji"] for row in csv.DictReader(file, delimiter="\t")]
    assert len(set(emoji)) == len(emoji) == 4_733
    begin = [
        dal.NewTemplate(name="n", content="c", tags=emoji[at : at + 50], visibility="public")
        for at in range(0, len(emoji), 50)
    ]
    made = await as_ada.templates.exchange.create_many(begin)
    for template, new in zip(made, begin, strict=True):
        assert template.tags == frozenset(new.tags)
        assert (await as_bob.templates.get(template.id)).tags == template.tags
    keys = {key.decode() if isinstance(key, bytes) else key for (key,) in root(
        "SELECT tag_key FROM tags"
    )}  # fmt: skip
    # One of them is a letter in a circle, and folds to the small one.
    expected = {tag_key(one) for one in emoji}
    assert len(expected) == 4_733
    assert keys >= expected
    assert len(await as_bob.tags.list_counts(limit=500)) == 500
    ((tags, links),) = root(
        "SELECT COUNT(DISTINCT tag_id), COUNT(*) FROM template_tags AS tt"
        " JOIN templates AS t ON t.id = tt.template_id WHERE t.owner_id = %s",
        made[0].owner_id.bytes,
    )
    assert tags == links == 4_733
    # Where one of them is asked for, no other is found.
    for at in Random(1).sample(range(len(emoji)), 60):
        page = await as_bob.templates.search(tags=[emoji[at]], owner_id=made[0].owner_id)
        assert [hit.template.id for hit in page.rows] == [made[at // 50].id]
    numbers = await as_bob.templates.usage.statistics()
    assert numbers.tags >= 4_733


async def test_counts_are_of_what_the_actor_sees(
    db: dal.Database, system: dal.Session, as_nobody: dal.Session
) -> None:
    """As a brute force over everything counts, for random owners and deletes."""
    dice = Random(9)
    tags = [a_word() for _ in range(4)]
    categories = [a_word() for _ in range(3)]
    users = [await new_user(db) for _ in range(4)]
    sessions = {user.id: db.acting_as(dal.Actor.user(user.id)) for user in users}
    live: list[dal.Template] = []
    for user in users:
        for _ in range(12):
            template = await sessions[user.id].templates.create(
                name="n", content="c",
                category=dice.choice([None, *categories]),
                tags=dice.sample(tags, k=dice.randrange(4)),
                visibility=dice.choice(["public", "private"]),
            )  # fmt: skip
            if dice.random() < 0.25:
                await sessions[user.id].templates.soft_delete(template.id)
            elif user is not users[3]:
                live.append(template)
    await system.users.soft_delete(users[3].id)
    asked: list[tuple[dal.Session, Any]] = [
        *((sessions[user.id], user.id) for user in users),
        (as_nobody, None),
        (system, "all"),
    ]
    for session, who in asked:
        seen = [t for t in live if who == "all" or t.visibility == "public" or t.owner_id == who]
        by_tag = Counter(tag for t in seen for tag in t.tags)
        counted = {
            row.name: row.templates for row in await session.tags.list_counts() if row.name in tags
        }
        by_category = Counter(t.category for t in seen if t.category is not None)
        filed = {
            row.slug: row.templates
            for row in await session.categories.list_counts()
            if row.slug in categories
        }
        # The most used 500 alone are listed, and other tests make tags too.
        for tag in tags:
            page = await session.templates.search(tags=[tag], limit=500)
            if who != "all":
                assert len(page.rows) == by_tag[tag]
            assert await session.templates.count_search(tags=[tag]) == len(page.rows)
            assert counted.get(tag, by_tag[tag]) == by_tag[tag]
        assert counted
        assert filed == by_category


async def test_those_without_a_category_are_one_row(as_ada: dal.Session) -> None:
    def none(rows: list[dal.CategoryCount]) -> int:
        (row,) = [row for row in rows if row.slug is None]
        assert row.name is None
        return row.templates

    await as_ada.templates.create(name="n", content="c")
    before = none(await as_ada.categories.list_counts())
    made = await as_ada.templates.create(name="n", content="c")
    assert none(await as_ada.categories.list_counts()) == before + 1
    await as_ada.templates.update_details(made.id, category=a_word())
    assert none(await as_ada.categories.list_counts()) == before
    counts = [row.templates for row in await as_ada.tags.list_counts()]
    assert counts == sorted(counts, reverse=True)
