"""Searching templates by words and filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Unpack, cast
from uuid import UUID

import attrs

from dal.gateways import SearchCorporaGateway, SearchTermsGateway, TagsGateway
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.records.search import Candidate
from dal.records.snippets import Snippet
from dal.records.templates import TemplateHit, TemplateHitRow, TemplateSummary
from dal.repositories.templates.rules import CORPUS, TemplateRules
from dal.search import (
    Arm,
    Corpus,
    SearchScope,
    Sort,
    TemplateFilters,
    TemplateSearch,
    asked_tokens,
    counted_tokens,
    query_terms,
    rank,
    ranking,
    snippet,
    template_candidates,
    template_count,
    template_most_used,
    template_search,
)
from dal.search.documents import public_tokens

__all__ = ["SEARCH_DEPTH", "TemplateSearches"]

SEARCH_DEPTH: Final = 300
"""To how many hits the pages of a search by words lead at most, of each kind of candidates."""

_HEAD_CHARS: Final = 8_000
# Scores are compared as whole numbers, which a cursor holds exactly.
_SCORE_SCALE: Final = 10**12


@attrs.frozen(slots=True)
class _Tags:
    """The ids of the tags that a search asks for."""

    all_of: tuple[UUID, ...]
    any_of: tuple[UUID, ...]


def _summary(row: TemplateHitRow) -> TemplateSummary:
    return TemplateSummary(
        **{field.name: getattr(row, field.name) for field in attrs.fields(TemplateSummary)}
    )


def _snippet(row: TemplateHitRow, terms: Sequence[str]) -> Snippet | None:
    """From what says most of a template in the fewest words on."""
    texts = (row.description or "", row.content_head, row.name, row.author_name or "")
    return snippet((*texts, ", ".join(sorted(row.tags))), terms)


class TemplateSearches(TemplateRules):
    """Finding templates, for the face. No door of its own."""

    async def search(
        self,
        text: str | None = None,
        *,
        sort: Sort | str | None = None,
        limit: int = 20,
        after: str | None = None,
        **filters: Unpack[TemplateFilters],
    ) -> Page[TemplateHit]:
        """See :meth:`dal.repositories.templates.TemplateRepository.search`."""
        search = TemplateSearch(text=text, sort=sort, **filters)
        name = search.list_name
        begin = decode_cursor(name, after, search.sort.first_key)
        check_limit(limit)
        tags = await self._tags_of(search)
        arms = self._arms(search.scope)
        if tags is None:
            return Page((), None)
        if search.text is None:
            rows = await self._browse(search, arms, tags, begin, limit + 1)
            shown = page_of(name, rows, limit, search.sort.key_of)
            return Page(tuple(TemplateHit(row, None, None) for row in shown.rows), shown.next)
        terms = query_terms(search.text)
        found = await self._found(search, terms, arms, tags)
        ascending = search.sort is Sort.OLDEST
        rest = [one for one in found if (one[0] > begin if ascending else one[0] < begin)]
        # Where a page ends is said by what was found: what is gone meanwhile is not its end.
        page = page_of(name, rest[: limit + 1], limit, lambda one: one[0])
        return Page(tuple(await self._hits(page.rows, terms)), page.next)

    async def count(self, text: str | None = None, **filters: Unpack[TemplateFilters]) -> int:
        """See :meth:`dal.repositories.templates.TemplateRepository.count_search`."""
        search = TemplateSearch(text=text, **filters)
        tags = await self._tags_of(search)
        arms = self._arms(search.scope)
        if tags is None:
            return 0
        if search.text is not None:
            return len(await self._found(search, query_terms(search.text), arms, tags))
        actor_id = self._scope.actor.id
        counts = [
            await self._scope.search(
                template_count(
                    search, arm, actor_id=actor_id, tag_ids=tags.all_of, any_tag_ids=tags.any_of
                )
            )
            for arm in arms
        ]
        return sum(count for rows in counts for count in rows)

    async def _browse(
        self,
        search: TemplateSearch,
        arms: Sequence[Arm],
        tags: _Tags,
        begin: Key,
        limit_rows: int,
    ) -> list[TemplateSummary]:
        rows: list[TemplateSummary] = []
        for arm in arms:
            rows += await self._scope.search(
                template_search(
                    search,
                    arm,
                    actor_id=self._scope.actor.id,
                    tag_ids=tags.all_of,
                    any_tag_ids=tags.any_of,
                    after=begin,
                    limit_rows=limit_rows,
                )
            )
        return sorted(rows, key=search.sort.key_of, reverse=search.sort is not Sort.OLDEST)

    async def _found(
        self, search: TemplateSearch, terms: Sequence[str], arms: Sequence[Arm], tags: _Tags
    ) -> list[tuple[Key, float]]:
        """All hits of a search by words, in its order: what it is ordered by, and the score."""
        if not terms:
            return []
        owner_id = None if search.scope is SearchScope.PUBLIC else self._scope.actor.id
        corpora, counts = SearchCorporaGateway(self._scope), SearchTermsGateway(self._scope)
        corpus = await corpora.find(corpus=CORPUS)
        known = await counts.list_by_tokens(
            corpus=CORPUS, search_tokens=counted_tokens(terms, owner_id)
        )
        frequencies = {count.token: count.documents for count in known}
        asked = asked_tokens(terms, frequencies, owner_id=owner_id)
        candidates: dict[UUID, Candidate] = {}
        holding: set[UUID] = set()
        in_mine = attrs.evolve(search, scope=SearchScope.MINE)
        for words, where in ((asked.public, search), (asked.private, in_mine)):
            if words:
                query = template_candidates(
                    where,
                    actor_id=self._scope.actor.id,
                    tag_ids=tags.all_of,
                    any_tag_ids=tags.any_of,
                    words=" ".join(words),
                    limit_rows=SEARCH_DEPTH,
                )
                candidates.update((row.id, row) for row in await self._scope.search(query))
        holding.update(candidates)
        common = [term for term in terms if public_tokens(term).body not in asked.public]
        # Of such words alone, a few names may have one; beside them, a word may be in no text.
        if len(common) == len(terms) or (common and not candidates):
            for arm in arms:
                query = template_most_used(
                    search,
                    arm,
                    actor_id=self._scope.actor.id,
                    tag_ids=tags.all_of,
                    any_tag_ids=tags.any_of,
                    limit_rows=SEARCH_DEPTH,
                )
                candidates.update((row.id, row) for row in await self._scope.search(query))
        ranked = rank(
            terms,
            (
                ranking.Candidate(row.id, row.tokens, row.terms, not row.is_public)
                for row in candidates.values()
            ),
            corpus=Corpus(0, 0) if corpus is None else Corpus(corpus.documents, corpus.terms),
            frequencies=frequencies,
            owner_id=owner_id,
        )
        scores = {one.id: one.score for one in ranked}
        # The index found a word of theirs that is further on than what is ranked.
        scores.update(dict.fromkeys(holding - scores.keys(), 1 / _SCORE_SCALE))
        return sorted(
            (
                (
                    (int(score * _SCORE_SCALE), of)
                    if search.sort is Sort.RELEVANCE
                    else search.sort.key_of(candidates[of]),
                    score,
                )
                for of, score in scores.items()
            ),
            reverse=search.sort is not Sort.OLDEST,
        )

    async def _hits(
        self, found: Sequence[tuple[Key, float]], terms: Sequence[str]
    ) -> list[TemplateHit]:
        """The templates themselves, as far as they still are there and to be seen."""
        ids = [cast(UUID, key[-1]) for key, _ in found]
        rows = {
            row.id: row
            for row in await self._templates.list_hits(
                template_ids=ids, actor_id=self._scope.actor.id, head_chars=_HEAD_CHARS
            )
        }
        return [
            TemplateHit(_summary(rows[of]), score, _snippet(rows[of], terms))
            for (_, score), of in zip(found, ids, strict=True)
            if of in rows
        ]

    async def _tags_of(self, search: TemplateSearch) -> _Tags | None:
        """The ids of the tags asked for; None where what is asked for cannot be."""
        keys = {*search.tag_keys, *search.any_tag_keys}
        if not keys:
            return _Tags((), ())
        tags = await TagsGateway(self._scope).list_by_keys(tag_keys=sorted(keys))
        ids = {tag.tag_key: tag.id for tag in tags}
        found = _Tags(
            tuple(ids[key] for key in search.tag_keys if key in ids),
            tuple(ids[key] for key in search.any_tag_keys if key in ids),
        )
        if len(found.all_of) < len(search.tag_keys) or (search.any_tag_keys and not found.any_of):
            return None
        return found

    def _arms(self, scope: SearchScope) -> tuple[Arm, ...]:
        if scope is SearchScope.MINE:
            self._me()
            return (Arm.OWN,)
        if scope is SearchScope.PUBLIC or not self._scope.actor.is_user:
            return (Arm.PUBLIC,)
        return (Arm.OWN, Arm.PUBLIC_OF_OTHERS)
