"""Categories and tags: the words that templates are filed under."""

from __future__ import annotations

from uuid import UUID

import attrs

__all__ = ["Category", "CategoryCount", "Tag", "TagCount"]


@attrs.frozen(slots=True)
class Category:
    """A category: ``slug`` tells it apart, ``name`` is shown."""

    id: UUID
    slug: str
    name: str


@attrs.frozen(slots=True)
class CategoryCount:
    """A category and how many live templates it has; both None for those without one."""

    slug: str | None
    name: str | None
    templates: int


@attrs.frozen(slots=True)
class Tag:
    """A tag: ``tag_key`` tells it apart byte by byte, ``name`` is shown."""

    id: UUID
    tag_key: str
    name: str


@attrs.frozen(slots=True)
class TagCount:
    """A tag and how many live templates carry it."""

    tag_key: str
    name: str
    templates: int
