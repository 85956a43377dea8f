"""Searching conversations by the words of their titles and prompts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, cast
from uuid import UUID

from dal.gateways import PromptsGateway, SearchCorporaGateway, SearchTermsGateway
from dal.records.conversations import ConversationHit, ConversationSummary
from dal.records.ids import MAX_ID
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.records.prompts import PromptHead, PromptStatus
from dal.repositories.conversations.rules import ConversationRules
from dal.search import (
    CONVERSATIONS,
    SCORE_SCALE,
    TEMPLATES,
    ConversationScope,
    ConversationSearch,
    Counts,
    conversation_best,
    conversation_reaches,
    impacts,
    query_terms,
    snippet,
    term_hash,
    weighted,
)

__all__ = ["ConversationSearches", "posting_rows", "searched", "terms_in"]

_DEPTH: Final = 300
_HEAD_CHARS: Final = 8_000
_FIRST: Final[Key] = (2**64 - 1, MAX_ID)


def posting_rows(
    conversation_id: UUID,
    owner_id: UUID,
    sequence_number: int,
    title: str,
    texts: Iterable[str | None],
) -> Iterator[dict[str, object]]:
    """The postings of a prompt, or of title and description, whose number is 0."""
    found = impacts(title, texts, pivot_terms=CONVERSATIONS.pivot_terms)
    for term, impact in sorted(found.items()):
        yield {
            "term": term,
            "scope": owner_id,
            "impact": impact,
            "conversation_id": conversation_id,
            "sequence_number": sequence_number,
        }


def searched(user_input: str, response: str | None, status: PromptStatus) -> list[str | None]:
    """What a prompt is found by: its answer only when that is whole."""
    return [user_input, response if status is PromptStatus.COMPLETED else None]


def terms_in(rows: Iterable[Mapping[str, object]]) -> list[int]:
    """The terms of postings, by which they are taken away."""
    return [cast(int, row["term"]) for row in rows]


class ConversationSearches(ConversationRules):
    """Finding conversations, for the face. No door of its own."""

    async def search(
        self,
        text: str,
        *,
        scope: ConversationScope | str = ConversationScope.VISIBLE,
        limit: int = 20,
        after: str | None = None,
    ) -> Page[ConversationHit]:
        """See :meth:`dal.repositories.conversations.ConversationRepository.search`."""
        search = ConversationSearch(text=text, scope=scope)
        actor_id = self._me()
        begin = decode_cursor(search.list_name, after, _FIRST)
        check_limit(limit)
        terms = query_terms(search.text)
        if not terms:
            return Page((), None)
        wanted = min(limit + 1, _DEPTH) if after is None else _DEPTH
        best = conversation_best(
            conversation_reaches(search.scope, actor_id),
            weighted(terms, await self.counts([term_hash(term) for term in terms])),
            limit_rows=wanted,
        )
        found = [(row.score, row.id) for row in await self._scope.search(best)]
        rest = [one for one in found if one < begin]
        # Where a page ends is said by what was found: what is gone meanwhile is not its end.
        page = page_of(search.list_name, rest[: limit + 1], limit, lambda one: one)
        return Page(tuple(await self._hits(page.rows, terms, actor_id)), page.next)

    async def counts(self, terms: list[int]) -> Counts:
        """How common each word is: among the public templates, as last counted.

        So what somebody's words weigh tells of nobody's conversations. Until they are counted, all
        weigh the same.
        """
        corpus = await SearchCorporaGateway(self._scope).find(corpus=TEMPLATES.name)
        if corpus is None:
            return Counts(0, {})
        known = await SearchTermsGateway(self._scope).list_by_terms(
            corpus=TEMPLATES.name, search_terms=terms
        )
        return Counts(corpus.documents, {count.term: count.documents for count in known})

    async def _hits(
        self, found: tuple[tuple[int, UUID], ...], terms: Mapping[str, int], actor_id: UUID
    ) -> list[ConversationHit]:
        """The conversations, as far as they still are there, each with its best prompt."""
        ids = [conversation_id for _, conversation_id in found]
        rows = {
            row.id: row
            for row in await self._conversations.list_hits(conversation_ids=ids, actor_id=actor_id)
        }
        heads = {
            head.conversation_id: head
            for head in await PromptsGateway(self._scope).list_heads(
                conversation_ids=ids,
                search_terms=[term_hash(term) for term in terms],
                actor_id=actor_id,
                head_chars=_HEAD_CHARS,
            )
        }
        return [_hit(rows[of], heads.get(of), score, terms) for score, of in found if of in rows]


def _hit(
    row: ConversationSummary, head: PromptHead | None, score: int, terms: Mapping[str, int]
) -> ConversationHit:
    """With a piece of the best prompt, else of the title or the description."""
    texts = [row.description or "", row.title]
    if head is not None:
        texts = [head.input_head, head.response_head or "", *texts]
    return ConversationHit(
        conversation=row,
        sequence_number=None if head is None else head.sequence_number,
        score=score / SCORE_SCALE,
        snippet=snippet(texts, terms),
    )
