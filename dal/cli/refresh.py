"""``dal refresh-search``."""

from __future__ import annotations

import asyncio

import dal
from dal.cli import output
from dal.cli.options import Json, Url, named

__all__ = ["refresh_search"]


def refresh_search(*, url: Url = None, json_: Json = False) -> int:
    """Count in how many templates each word is, which the search is bounded and ranked by.

    Once a day is enough, and after a large import.
    """
    counted = asyncio.run(_refresh(url))
    if json_:
        output.print_json({"documents": counted.documents})
    else:
        output.say(f"{counted.documents:,} public templates")
    return 0


async def _refresh(url: str | None) -> dal.SearchCorpus:
    async with dal.connect(named(url)) as db:
        system = db.acting_as(dal.Actor.system("dal refresh-search"))
        return await system.templates.search_statistics.refresh()
