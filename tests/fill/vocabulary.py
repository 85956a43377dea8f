"""Categories and tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from tests.fill.sizes import (
    START,
    Row,
    Tables,
    row_id,
)

__all__ = ["EMPTY_CATEGORY", "N_CATEGORIES", "N_TAGS", "category_id", "tag_id"]

N_CATEGORIES: Final = 20

N_TAGS: Final = 53

EMPTY_CATEGORY: Final = N_CATEGORIES
"""Number of a category more, which no template is filed under."""


def category_id(n: int) -> UUID:
    """The id of category ``n``."""
    return row_id(2, n)


def tag_id(n: int) -> UUID:
    """The id of tag ``n``."""
    return row_id(3, n)


def _categories(_: int) -> Iterator[Row]:
    for n in (*range(N_CATEGORIES), EMPTY_CATEGORY):
        yield {
            "id": category_id(n),
            "slug": f"category-{n}",
            "name": f"Category {n}",
            "created_at": START,
            "updated_at": START,
        }


def _tags(_: int) -> Iterator[Row]:
    for n in range(N_TAGS):
        yield {
            "id": tag_id(n),
            "tag_key": f"tag{n}",
            "name": f"Tag{n}",
            "created_at": START,
            "updated_at": START,
        }


TABLES: Final[Tables] = {
    "categories": _categories,
    "tags": _tags,
}
