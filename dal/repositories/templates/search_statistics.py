"""Counting the words that rank what a search finds."""

from __future__ import annotations

from collections import Counter
from typing import Final
from uuid import UUID

from dal.gateways import SearchCorporaGateway, SearchTermsGateway
from dal.records.search import SearchCorpus
from dal.repositories.base import changing, part
from dal.repositories.templates.rules import CORPUS, TARGET, TemplateRules
from dal.search import PRIVATE_THRESHOLD, is_private_token

__all__ = ["TemplateSearchStatistics"]

_DOCUMENTS_AT_ONCE: Final = 100


@part("templates.search_statistics")
class TemplateSearchStatistics(TemplateRules):
    """What the search knows of words: ``me.templates.search_statistics``."""

    @changing
    async def refresh(self) -> SearchCorpus:
        """Count in how many templates each word is, for the system: a job, once a day or so.

        Searches rank by these numbers, and are bounded by them: without any, words that nearly
        every template has are looked for in all of them. They may be stale without harm.

        Raises:
            PermissionDeniedError: the actor is not the system.
        """
        action = "template.refresh_search_statistics"
        self._only_system_changes(action, TARGET, None, "for the system alone")
        holding: Counter[str] = Counter()
        documents = terms = 0
        last = UUID(int=0)
        while True:
            rows = await self._texts.list_documents(after_id=last, limit_rows=_DOCUMENTS_AT_ONCE)
            for row in rows:
                holding.update(set(row.tokens.split()))
                if row.is_public:
                    documents += 1
                    terms += row.terms
            if len(rows) < _DOCUMENTS_AT_ONCE:
                break
            last = rows[-1].id
        counts = SearchTermsGateway(self._scope)
        await counts.delete_all(corpus=CORPUS)
        await counts.insert_many(
            {"corpus": CORPUS, "token": token, "documents": number}
            for token, number in sorted(holding.items())
            if number >= PRIVATE_THRESHOLD or not is_private_token(token)
        )
        now = self._scope.clock.now()
        await SearchCorporaGateway(self._scope).upsert(
            corpus=CORPUS, documents=documents, corpus_terms=terms, now=now
        )
        await self._audit.write(action, TARGET, None, affected=documents, at=now)
        return SearchCorpus(CORPUS, documents, terms, now)
