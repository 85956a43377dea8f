"""The table search_terms. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from dal.records.search import TermCount
from dal.session import Executor
from dal.statements import house

__all__ = ["SearchTermsGateway"]

_DELETE_ALL = house().affected("search_terms/delete_all")
_INSERT_MANY = house().bulk("search_terms/insert_many")
_LIST_BY_TOKENS = house().many("search_terms/list_by_tokens", TermCount)


@attrs.frozen(slots=True)
class SearchTermsGateway:
    """A method per file of ``sql/search_terms/``."""

    executor: Executor

    async def delete_all(self, *, corpus: str) -> int:
        """Forget in how many texts words were, before they are counted anew."""
        return await self.executor.affected(_DELETE_ALL, corpus=corpus)

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Write in how many texts words are."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_tokens(self, *, corpus: str, search_tokens: Sequence[str]) -> list[TermCount]:
        """Read in how many texts some words are."""
        return await self.executor.many(_LIST_BY_TOKENS, corpus=corpus, search_tokens=search_tokens)
