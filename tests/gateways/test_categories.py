"""sql/categories/ through CategoriesGateway."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

import dal
from dal.gateways import CategoriesGateway, TemplatesGateway
from tests.gateways.helpers import (
    NOW,
    check_whole_row,
    stored_categories,
    stored_template,
    template,
    user,
)


def row(slug: str, name: str = "Name") -> dict[str, Any]:
    return {"category_id": uuid4(), "slug": slug, "category_name": name, "now": NOW}


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


async def test_lock_by_slugs_needs_a_transaction(system: dal.Session) -> None:
    with pytest.raises(dal.UsageError):
        await CategoriesGateway(system).lock_by_slugs(slugs=["a"])


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
