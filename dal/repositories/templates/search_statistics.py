"""Counting the words that rank what a search finds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from dal.gateways import SearchCorporaGateway, SearchTermsGateway
from dal.records.search import SearchCorpus
from dal.repositories.base import changing, part
from dal.repositories.templates.rules import TARGET, TemplateRules
from dal.search import TEMPLATES

__all__ = ["TemplateSearchStatistics", "shares"]


_DOCUMENTS_A_SHARE: Final = 10_000
"""So many make one more statement of the counting, and each of them as long as the others."""


def shares(n: int) -> Iterator[tuple[int, int]]:
    """The hashes of terms, 0 to 2^63 - 1, in ``n`` parts of one size: the first and last of each.

    Hashes are even, so each has about as many terms.
    """
    bounds = [i * 2**63 // n for i in range(n + 1)]
    for first, following in pairwise(bounds):
        yield first, following - 1


@part("templates.search_statistics")
class TemplateSearchStatistics(TemplateRules):
    """What the search knows of words: ``me.templates.search_statistics``."""

    @changing
    async def refresh(self) -> SearchCorpus:
        """Count in how many public templates of live owners each word is, for the system: a job,
        once a day or so.

        Searches rank by these numbers. They may be stale without harm; until they are counted for
        the first time, each search counts for itself.

        Raises:
            PermissionDeniedError: the actor is not the system.
        """
        action = "template.refresh_search_statistics"
        self._only_system_changes(action, TARGET, None, "for the system alone")
        terms = SearchTermsGateway(self._scope)
        await terms.delete_all(corpus=TEMPLATES.name)
        documents = await self._templates.count_public()
        for first, last in shares(1 + documents // _DOCUMENTS_A_SHARE):
            await terms.insert_of_templates(corpus=TEMPLATES.name, from_term=first, to_term=last)
        now = self._scope.clock.now()
        await SearchCorporaGateway(self._scope).upsert(
            corpus=TEMPLATES.name, documents=documents, now=now
        )
        await self._audit.write(action, TARGET, None, affected=documents, at=now)
        return SearchCorpus(TEMPLATES.name, documents, now)
