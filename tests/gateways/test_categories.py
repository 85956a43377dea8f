"""sql/categories/ through CategoriesGateway."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

import dal
from dal.gateways import CategoriesGateway, TemplatesGateway, UsersGateway
from dal.records.vocabulary import Category
from tests.gateways.helpers import (
    NOW,
    StoredCategory,
    check_tested,
    check_whole_row,
    stored_categories,
    stored_template,
    template,
    user,
)


def row(slug: str, name: str = "Name") -> dict[str, Any]:
    return {"category_id": uuid4(), "slug": slug, "category_name": name, "now": NOW}


def test_all_of_it() -> None:
    check_tested(CategoriesGateway, globals())


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    await check_whole_row(tx, "categories")


async def test_insert_many(tx: dal.Session) -> None:
    categories, slug = CategoriesGateway(tx), uuid4().hex
    assert await categories.insert_many([row(slug), row(f"{slug}é"), row(f"{slug}e")]) == 3
    assert await categories.insert_many([]) == 0
    with pytest.raises(dal.UniqueError) as caught:
        await categories.insert_many([row(f"{slug}new"), row(slug)])
    assert caught.value.constraint == "uq_categories_slug"
    assert await categories.list_by_slugs(slugs=[f"{slug}new"]) == []


async def test_insert_many_needs_a_transaction(system: dal.Session) -> None:
    with pytest.raises(dal.UsageError):
        await CategoriesGateway(system).insert_many([row(uuid4().hex)])


async def test_list_by_slugs(tx: dal.Session) -> None:
    categories, slug = CategoriesGateway(tx), uuid4().hex
    rows = [row(f"{slug}b", "B"), row(f"{slug}a", "A"), row(f"{slug}c", "C")]
    await categories.insert_many(rows)
    found = await categories.list_by_slugs(slugs=[f"{slug}b", f"{slug}a", f"{slug}none"])
    assert found == [
        Category(rows[1]["category_id"], f"{slug}a", "A"),
        Category(rows[0]["category_id"], f"{slug}b", "B"),
    ]
    assert await categories.list_by_slugs(slugs=[]) == []
    assert await categories.list_by_slugs(slugs=[f"{slug}A"]) == []


async def test_list_counts(tx: dal.Session) -> None:
    categories, slug = CategoriesGateway(tx), uuid4().hex
    mine = row(slug, "Counted")
    await categories.insert_many([mine, row(f"{slug}-empty")])
    owner, gone = await user(tx), await user(tx)
    category_id: UUID = mine["category_id"]
    for _ in range(2):
        await template(tx, owner, category_id=category_id)
    await template(tx, gone, category_id=category_id)
    deleted = await template(tx, owner, category_id=category_id)
    await template(tx, owner)
    await TemplatesGateway(tx).soft_delete(template_id=deleted, actor_id=owner, now=NOW)
    await UsersGateway(tx).soft_delete(user_id=gone, now=NOW)
    counts = await categories.list_counts(limit_rows=500)
    assert [(c.slug, c.name, c.templates) for c in counts if c.slug and slug in c.slug] == [
        (slug, "Counted", 2)
    ]
    assert [c.templates for c in counts] == sorted((c.templates for c in counts), reverse=True)
    assert sum(c.slug is None and c.name is None and c.templates >= 1 for c in counts) == 1
    assert len(await categories.list_counts(limit_rows=1)) == 1


async def test_list_visible_counts(tx: dal.Session) -> None:
    categories, slug = CategoriesGateway(tx), uuid4().hex
    one, two = row(f"{slug}a", "A"), row(f"{slug}b", "B")
    await categories.insert_many([one, two, row(f"{slug}c")])
    owner, other, gone = await user(tx), await user(tx), await user(tx)
    first, second = one["category_id"], two["category_id"]
    for who, category_id, visibility in (
        (owner, first, "private"), (owner, first, "public"), (owner, second, "private"),
        (other, first, "private"), (other, second, "public"), (other, second, "public"),
        (gone, first, "public"), (gone, second, "private"), (owner, None, "private"),
    ):  # fmt: skip
        await template(tx, who, category_id=category_id, visibility=visibility)
    deleted = await template(tx, owner, category_id=first, visibility="public")
    await TemplatesGateway(tx).soft_delete(template_id=deleted, actor_id=owner, now=NOW)
    await UsersGateway(tx).soft_delete(user_id=gone, now=NOW)

    async def counts(actor: UUID | None) -> list[tuple[str | None, int]]:
        found = await categories.list_visible_counts(actor_id=actor, limit_rows=500)
        assert [c.templates for c in found] == sorted((c.templates for c in found), reverse=True)
        return [(c.name, c.templates) for c in found if c.slug and c.slug.startswith(slug)]

    assert await counts(owner) == [("B", 3), ("A", 2)]
    # As many: by slug.
    assert await counts(other) == [("A", 2), ("B", 2)]
    for nobody in (gone, None, uuid4()):
        assert await counts(nobody) == [("B", 2), ("A", 1)]
    assert len(await categories.list_visible_counts(actor_id=owner, limit_rows=1)) == 1
    mine = await categories.list_visible_counts(actor_id=owner, limit_rows=500)
    theirs = await categories.list_visible_counts(actor_id=None, limit_rows=500)
    without = [sum(c.templates for c in found if c.slug is None) for found in (mine, theirs)]
    assert without[0] == without[1] + 1


async def test_lock_by_slugs(tx: dal.Session) -> None:
    categories, slug = CategoriesGateway(tx), uuid4().hex
    rows = [row(f"{slug}b", "B"), row(f"{slug}a", "A"), row(f"{slug}c", "C")]
    await categories.insert_many(rows)
    found = await categories.lock_by_slugs(slugs=[f"{slug}b", f"{slug}none", f"{slug}a"])
    assert found == [
        Category(rows[1]["category_id"], f"{slug}a", "A"),
        Category(rows[0]["category_id"], f"{slug}b", "B"),
    ]
    assert await categories.lock_by_slugs(slugs=[]) == []
    assert await categories.lock_by_slugs(slugs=[f"{slug}A"]) == []


async def test_lock_by_slugs_needs_a_transaction(system: dal.Session) -> None:
    with pytest.raises(dal.UsageError):
        await CategoriesGateway(system).lock_by_slugs(slugs=["a"])


async def test_update_name(tx: dal.Session) -> None:
    categories, slug = CategoriesGateway(tx), uuid4().hex
    mine, other = row(f"{slug}a", "A"), row(f"{slug}b", "B")
    await categories.insert_many([mine, other])
    mine_id, other_id = mine["category_id"], other["category_id"]
    later = NOW + timedelta(seconds=1)

    async def rename(category_id: UUID, to: str, name: str = "New", **changes: Any) -> int:
        return await categories.update_name(
            category_id=category_id, slug=to, category_name=name, **{"now": later, **changes}
        )

    assert await rename(uuid4(), f"{slug}c") == 0
    assert await rename(mine_id, f"{slug}c") == 1
    expected = [StoredCategory(mine_id, f"{slug}c", "New", NOW, later)]
    assert await stored_categories(tx, mine_id) == expected
    # Another spelling of its own; the same again matches the row too; no time goes back.
    assert await rename(mine_id, f"{slug}c", now=NOW) == 1
    assert await stored_categories(tx, mine_id) == expected
    with pytest.raises(dal.UniqueError) as caught:
        await rename(mine_id, f"{slug}b")
    assert caught.value.constraint == "uq_categories_slug"
    with pytest.raises(dal.ValueRejectedError) as refused:
        await rename(mine_id, "x" * 101)
    assert refused.value.field == "slug"
    with pytest.raises(dal.ValueRejectedError) as refused:
        await rename(mine_id, f"{slug}d", "x" * 101)
    assert refused.value.field == "category_name"
    assert await stored_categories(tx, mine_id) == expected
    assert await stored_categories(tx, other_id) == [
        StoredCategory(other_id, f"{slug}b", "B", NOW, NOW)
    ]


async def test_delete_one(tx: dal.Session) -> None:
    categories, slug = CategoriesGateway(tx), uuid4().hex
    mine, other = row(f"{slug}a", "A"), row(f"{slug}b", "B")
    await categories.insert_many([mine, other])
    mine_id, other_id = mine["category_id"], other["category_id"]
    owner = await user(tx)
    filed = await template(tx, owner, category_id=mine_id)
    # Also one in the trash keeps it.
    await TemplatesGateway(tx).soft_delete(template_id=filed, actor_id=owner, now=NOW)
    with pytest.raises(dal.ChildExistsError) as kept:
        await categories.delete_one(category_id=mine_id)
    assert kept.value.constraint == "fk_templates_category"
    assert len(await stored_categories(tx, mine_id)) == 1
    assert (await stored_template(tx, filed)).category_id == mine_id
    await TemplatesGateway(tx).purge(template_id=filed, actor_id=owner)
    assert await categories.delete_one(category_id=uuid4()) == 0
    assert await categories.delete_one(category_id=mine_id) == 1
    assert await categories.delete_one(category_id=mine_id) == 0
    assert await stored_categories(tx, mine_id) == []
    assert len(await stored_categories(tx, other_id)) == 1
