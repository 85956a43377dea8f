"""sql/categories/ through CategoriesGateway."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

import dal
from dal.gateways import CategoriesGateway, TemplatesGateway, UsersGateway
from dal.records.vocabulary import Category
from tests.gateways.helpers import NOW, check_tested, template, user


def row(slug: str, name: str = "Name") -> dict[str, Any]:
    return {"category_id": uuid4(), "slug": slug, "category_name": name, "now": NOW}


def test_all_of_it() -> None:
    check_tested(CategoriesGateway, globals())


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
