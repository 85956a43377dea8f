"""The table search_terms. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from dal.records.search import TermCount
from dal.session import Executor
from dal.statements import house

__all__ = ["SearchTermsGateway"]

_DELETE_ALL = house().affected("search_terms/delete_all")
_INSERT_OF_TEMPLATES = house().affected("search_terms/insert_of_templates")
_LIST_BY_TERMS = house().many("search_terms/list_by_terms", TermCount)


@attrs.frozen(slots=True)
class SearchTermsGateway:
    """A method per file of ``sql/search_terms/``."""

    executor: Executor

    async def delete_all(self, *, corpus: str) -> int:
        """Forget in how many texts words were, before they are counted anew."""
        return await self.executor.affected(_DELETE_ALL, corpus=corpus)

    async def insert_of_templates(self, *, corpus: str, from_term: int, to_term: int) -> int:
        """Count the public templates of live owners that hold each of some terms."""
        return await self.executor.affected(
            _INSERT_OF_TEMPLATES, corpus=corpus, from_term=from_term, to_term=to_term
        )

    async def list_by_terms(self, *, corpus: str, search_terms: Sequence[int]) -> list[TermCount]:
        """List in how many texts some terms were when they were last counted."""
        return await self.executor.many(_LIST_BY_TERMS, corpus=corpus, search_terms=search_terms)
