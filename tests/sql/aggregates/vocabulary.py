"""Categories and tags: what their statements are asked with."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tests import fill
from tests.sql.aggregates.common import (
    FRESH,
    LIMIT,
    NEVER_MISSES,
    Aggregate,
    Values,
    same,
    seen,
)


def _category_counts(factor: int, values: Values) -> list[tuple[object, ...]]:
    counts = Counter(map(fill.template_category, seen(factor, values)))
    rows = [
        ((None, None) if n is None else (f"category-{n}", f"Category {n}"), count)
        for n, count in counts.items()
    ]
    rows.sort(key=lambda row: (-row[1], row[0][0] or ""))
    return [(*names, count) for names, count in rows[:LIMIT]]


def _tag_counts(factor: int, values: Values) -> list[tuple[object, ...]]:
    counts = Counter(tag for n in seen(factor, values) for tag in fill.template_tags(n, factor))
    rows = [(f"tag{n}", f"Tag{n}", count) for n, count in counts.items()]
    return [*sorted(rows, key=lambda row: (-row[2], row[0]))[:LIMIT]]


AGGREGATE: Final = Aggregate(
    tables=("categories", "tags"),
    values={
        "category_name": ("A new category", NEVER_MISSES),
        "slug": ("a-new-category", NEVER_MISSES),
        "tag_key": ("a-new-tag", NEVER_MISSES),
        "tag_keys": (["tag1", "tag2"], ["no-such-tag"]),
        "tag_name": ("A new tag", NEVER_MISSES),
    },
    cases={
        "categories/delete_one": ({"category_id": fill.category_id(fill.EMPTY_CATEGORY)},),
        "categories/insert_many": ({"category_id": fill.category_id(FRESH)},),
    },
    gives_without={
        ("categories/list_visible_counts", "actor_id"): "what is public",
        ("tags/list_visible_counts", "actor_id"): "what is public",
    },
    numbers={
        "categories/list_counts": _category_counts,
        "categories/list_visible_counts": _category_counts,
        "tags/list_counts": _tag_counts,
        "tags/list_visible_counts": _tag_counts,
    },
    rows={
        "categories": "SELECT * FROM categories WHERE id = :category_id",
    },
    written={
        "categories/update_name": same(name="category_name", updated_at="now"),
    },
)
