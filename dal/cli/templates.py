"""``dal search``."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from cyclopts import Parameter

import dal
from dal.cli import output
from dal.cli.options import Json, Url, named, session_of

__all__ = ["search_templates"]


def search_templates(
    *text: str,
    category: str | None = None,
    tag: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    scope: Literal["visible", "mine", "public"] = "visible",
    as_: Annotated[str | None, Parameter(name="--as")] = None,
    sort: Literal["newest", "oldest"] = "newest",
    limit: int = 20,
    # A cursor may begin with a hyphen: one of 64 does.
    after: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Search templates by words in name, description and credited author.

    Every word must be there, without regard to case and accents.

    Args:
        text: Words; none finds everything.
        category: Of this category only.
        tag: With this tag; give it again for more, which must all be there.
        scope: visible (one's own and public ones), mine, or public.
        as_: Address of the user who searches; without it public templates are found.
        limit: The most rows, 1 to 500.
        after: Where to go on: what the page before said under "next".
    """
    wanted = {
        "text": " ".join(text) or None,
        "category": category,
        "tags": tag,
        "scope": scope,
        "sort": sort,
        "limit": limit,
        "after": after,
    }
    page = asyncio.run(_search(url, as_, wanted))
    if json_:
        output.print_json({"rows": page.rows, "next": page.next})
        return 0
    output.table(
        ["id", "name", "category", "author", "visibility", "created"],
        [
            (row.id, row.name, row.category, row.author_name, row.visibility, row.created_at)
            for row in (hit.template for hit in page.rows)
        ],
    )
    if page.next:
        output.note(f"there are more: --after {page.next}")
    return 0


async def _search(
    url: str | None, email: str | None, wanted: dict[str, Any]
) -> dal.Page[dal.TemplateHit]:
    async with dal.connect(named(url)) as db:
        me = db.acting_as(dal.Actor.anonymous()) if email is None else await session_of(db, email)
        return await me.templates.search(**wanted)
