"""Categories and tags by name: found, or made where they are missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import attrs

from dal.errors import UniqueError
from dal.gateways import CategoriesGateway, TagsGateway
from dal.records.ids import new_id
from dal.records.text import category_slug, tag_key
from dal.records.vocabulary import Category, Tag
from dal.session import Scope

__all__ = ["Vocabulary"]

T = TypeVar("T", Category, Tag)

# What one IN list takes at most.
_CHUNK = 10_000


@attrs.frozen(slots=True)
class Vocabulary:
    """Inside a transaction that has locked the owner: user, then vocabulary, then template."""

    scope: Scope

    async def categories(
        self, names: Iterable[str], now: datetime, known: Iterable[Category] | None = None
    ) -> dict[str, Category]:
        """The categories of these names by slug, made where they are missing.

        Args:
            known: those of them that were read already, if they were.
        """
        gateway = CategoriesGateway(self.scope)

        async def insert(made: Sequence[Category]) -> int:
            return await gateway.insert_many(
                {"category_id": c.id, "slug": c.slug, "category_name": c.name, "now": now}
                for c in made
            )

        return await _found_or_made(
            _first_spellings(names, category_slug),
            known,
            read=lambda slugs: gateway.list_by_slugs(slugs=slugs),
            make=lambda slug, name: Category(new_id(now), slug, name),
            insert=insert,
            key_of=lambda category: category.slug,
        )

    async def tags(self, names: Iterable[str], now: datetime) -> dict[str, Tag]:
        """The tags of these names by key, made where they are missing."""
        gateway = TagsGateway(self.scope)

        async def insert(made: Sequence[Tag]) -> int:
            return await gateway.insert_many(
                {"tag_id": t.id, "tag_key": t.tag_key, "tag_name": t.name, "now": now} for t in made
            )

        return await _found_or_made(
            _first_spellings(names, tag_key),
            None,
            read=lambda keys: gateway.list_by_keys(tag_keys=keys),
            make=lambda key, name: Tag(new_id(now), key, name),
            insert=insert,
            key_of=lambda tag: tag.tag_key,
        )


def _first_spellings(names: Iterable[str], key_of: Callable[[object], str]) -> dict[str, str]:
    spellings: dict[str, str] = {}
    for name in names:
        spellings.setdefault(key_of(name), name)
    return spellings


async def _found_or_made(
    wanted: Mapping[str, str],
    known: Iterable[T] | None,
    *,
    read: Callable[[Sequence[str]], Awaitable[list[T]]],
    make: Callable[[str, str], T],
    insert: Callable[[Sequence[T]], Awaitable[int]],
    key_of: Callable[[T], str],
) -> dict[str, T]:
    """The words of ``wanted`` (key -> name), by key.

    Missing ones are inserted in order of their keys, so that two who make the same words wait for
    each other instead of deadlocking; who comes second reads what the first has made.

    Raises:
        UniqueError: somebody made a word that this transaction cannot see, since it reads from a
            snapshot (REPEATABLE READ): to be run again from its start.
    """
    found = {key_of(word): word for word in known or ()}
    missing = sorted(wanted.keys() - found.keys())
    is_read = known is not None
    refused: UniqueError | None = None
    while missing:
        if not is_read:
            for start in range(0, len(missing), _CHUNK):
                for word in await read(missing[start : start + _CHUNK]):
                    found[key_of(word)] = word
            still_missing = [key for key in missing if key not in found]
            # Each refusal is by a word that is there by now, so each one leaves fewer to make:
            # however many others make words at the same time, this ends.
            if refused is not None and len(still_missing) == len(missing):
                raise refused
            missing = still_missing
            if not missing:
                break
        made = [make(key, wanted[key]) for key in missing]
        try:
            await insert(made)
        except UniqueError as error:
            # Somebody was first with one of them; the statement alone was undone.
            refused, is_read = error, False
            continue
        found.update((key_of(word), word) for word in made)
        break
    return found
