"""What every public method of categories and tags does, in the cases of a template of theirs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import pytest

import dal
from tests.repositories.contracts import Contract, World
from tests.repositories.templates.contract import TEMPLATE_CASES, template_world

# What the audit log calls the changing methods. They are for admins and the system.
CHANGES: Final = {"categories.merge": "category.merge", "categories.rename": "category.rename"}

VOCABULARY: Final[dict[str, str]] = {
    "categories.list_counts":     "yes yes no no no     no yes no no     no yes   yes no no no",
    "categories.merge":           "PD PD PD PD PD       PD PD PD PD      PD PD    yes yes yes NF",
    "categories.rename":          "PD PD PD PD PD       PD PD PD PD      PD PD    yes yes yes NF",
    "tags.list_counts":           "yes yes no no no     no yes no no     no yes   yes no no no",
}  # fmt: skip


async def _tag_counts(w: World) -> bool:
    counts = [c for c in await w.me.tags.list_counts() if c.tag_key == w.tag]
    assert [c.templates for c in counts] in ([], [1])
    return bool(counts)


async def _filed(w: World) -> str | None:
    """Under which category the case's template is, deleted or not."""
    if w.case.endswith("orphan"):
        await w.system.users.restore(w.owner.id)
    return (await w.as_owner.templates.trash.get_including_deleted(w.id)).category


async def _rename_category(w: World) -> bool:
    back = await w.me.categories.rename(w.category, f"E {w.word}")
    assert back == dal.Category(w.category_id, f"e-{w.word}", f"E {w.word}")
    return await _filed(w) == back.slug


async def _merge_categories(w: World) -> bool:
    moved = await w.me.categories.merge(w.category, w.target)
    with pytest.raises(dal.NotFoundError):
        await w.system.categories.rename(w.category, "Gone")
    return (moved, await _filed(w)) == (1, f"d-{w.word}")


async def _category_counts(w: World) -> bool:
    counts = [c for c in await w.me.categories.list_counts() if c.slug == w.slug]
    assert [c.templates for c in counts] in ([], [1])
    return bool(counts)


VOCABULARY_ASKS: Final[dict[str, Callable[[World], Awaitable[bool]]]] = {
    "categories.list_counts": _category_counts,
    "categories.merge": _merge_categories,
    "categories.rename": _rename_category,
    "tags.list_counts": _tag_counts,
}

CONTRACT: Final = Contract("", TEMPLATE_CASES, VOCABULARY, VOCABULARY_ASKS, template_world)
