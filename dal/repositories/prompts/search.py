"""Searching prompts by the words of their texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from dal.records.ids import MAX_ID
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.records.prompts import Prompt, PromptHit, PromptStatus
from dal.repositories.conversations.search import ConversationSearches, searched
from dal.repositories.prompts.rules import PromptRules
from dal.search import (
    SCORE_SCALE,
    ConversationScope,
    PromptSearch,
    prompt_best,
    prompt_reaches,
    query_terms,
    snippet,
    term_hash,
    weighted,
)

__all__ = ["PromptSearches"]

_DEPTH: Final = 300
_HEAD_CHARS: Final = 8_000
_FIRST: Final[Key] = (2**64 - 1, MAX_ID)


class PromptSearches(PromptRules):
    """Finding prompts, for the face. No door of its own."""

    async def search(
        self,
        text: str,
        *,
        scope: ConversationScope | str,
        conversation_id: UUID | None,
        author_id: UUID | None,
        status: PromptStatus | str | None,
        limit: int,
        after: str | None,
    ) -> Page[PromptHit]:
        """See :meth:`dal.repositories.prompts.PromptRepository.search`."""
        search = PromptSearch(
            text=text,
            scope=scope,
            conversation_id=conversation_id,
            author_id=author_id,
            status=status,
        )
        actor_id = self._user("prompts are found by who takes part")
        begin = decode_cursor(search.list_name, after, _FIRST)
        check_limit(limit)
        terms = query_terms(search.text)
        if not terms:
            return Page((), None)
        counts = await ConversationSearches(self._scope).counts([term_hash(t) for t in terms])
        best = prompt_best(
            prompt_reaches(search, actor_id),
            weighted(terms, counts),
            limit_rows=min(limit + 1, _DEPTH) if after is None else _DEPTH,
        )
        found = [(row.score, row.id) for row in await self._scope.search(best)]
        rest = [one for one in found if one < begin]
        # Where a page ends is said by what was found: what is gone meanwhile is not its end.
        page = page_of(search.list_name, rest[: limit + 1], limit, lambda one: one)
        return Page(tuple(await self._hits(page.rows, terms, actor_id)), page.next)

    async def _hits(
        self, found: tuple[tuple[int, UUID], ...], terms: Mapping[str, int], actor_id: UUID
    ) -> list[PromptHit]:
        """The prompts, as far as they still are there to be seen."""
        if not found:
            return []
        rows = {
            row.id: row
            for row in await self._prompts.list_hits(
                prompt_ids=[prompt_id for _, prompt_id in found], actor_id=actor_id
            )
        }
        return [_hit(rows[of], score, terms) for score, of in found if of in rows]


def _hit(prompt: Prompt, score: int, terms: Mapping[str, int]) -> PromptHit:
    texts = searched(prompt.user_input, prompt.response, prompt.status)
    heads = [(text or "")[:_HEAD_CHARS] for text in texts]
    return PromptHit(prompt=prompt, score=score / SCORE_SCALE, snippet=snippet(heads, terms))
