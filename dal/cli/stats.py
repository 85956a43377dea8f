"""``dal stats``."""

from __future__ import annotations

import asyncio
from typing import Any

import dal
from dal.cli import output
from dal.cli.options import Json, Url, named

__all__ = ["statistics", "stats"]


def stats(*, url: Url = None, json_: Json = False) -> int:
    """Count users, templates, versions, authors, tags, and templates by category.

    What is live is counted, of users who are live; "deleted" is what lies in trashes.
    """
    found = asyncio.run(_stats(url))
    if json_:
        output.print_json(found)
        return 0
    categories = found.pop("categories")
    output.table(["what", "count"], found.items())
    output.table(
        ["category", "name", "templates"],
        [(one["slug"], one["name"], one["templates"]) for one in categories],
    )
    return 0


async def _stats(url: str | None) -> dict[str, Any]:
    async with dal.connect(named(url)) as db:
        return await statistics(db)


async def statistics(db: dal.Database) -> dict[str, Any]:
    """The numbers, as ``dal stats --json`` prints them.

    ``categories`` are the 500 largest; the one whose slug is None counts those that have none.
    """
    system = db.acting_as(dal.Actor.system("dal stats"))
    numbers = await system.templates.usage.statistics()
    categories = await system.categories.list_counts(limit=500)
    return {
        "users": await system.users.count(),
        "templates": numbers.templates,
        "public": numbers.public,
        "private": numbers.private,
        "deleted": numbers.deleted,
        "versions": numbers.versions,
        "authors": numbers.authors,
        "tags": numbers.tags,
        "categories": [
            {"slug": one.slug, "name": one.name, "templates": one.templates} for one in categories
        ],
    }
