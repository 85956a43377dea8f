"""Searching templates by words and filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Unpack, cast
from uuid import UUID

import attrs

from dal.gateways import (
    SearchCorporaGateway,
    SearchTermsGateway,
    TagsGateway,
    TemplatePostingsGateway,
)
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.records.snippets import Snippet
from dal.records.templates import (
    FoundTemplate,
    ScoredTemplate,
    TemplateHit,
    TemplateHitRow,
    TemplateSummary,
)
from dal.repositories.templates.rules import TemplateRules
from dal.search import (
    SCORE_SCALE,
    TEMPLATES,
    Arm,
    Counts,
    SearchScope,
    Sort,
    TemplateFilters,
    TemplateSearch,
    query_terms,
    snippet,
    template_best,
    template_count,
    template_reaches,
    template_search,
    term_hash,
    weighted,
)

__all__ = ["SEARCH_DEPTH", "TemplateSearches"]

SEARCH_DEPTH: Final = 300
"""To how many hits the pages of a search by words lead at most."""

_HEAD_CHARS: Final = 8_000


@attrs.frozen(slots=True)
class _Tags:
    """The ids of the tags that a search asks for."""

    all_of: tuple[UUID, ...]
    any_of: tuple[UUID, ...]


def _summary(row: TemplateHitRow) -> TemplateSummary:
    return TemplateSummary(
        **{field.name: getattr(row, field.name) for field in attrs.fields(TemplateSummary)}
    )


def _snippet(row: TemplateHitRow, terms: Mapping[str, int]) -> Snippet | None:
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
        # The first page is what comes first; which one a later page begins with is seen in all.
        wanted = min(limit + 1, SEARCH_DEPTH) if after is None else SEARCH_DEPTH
        found = await self._found(search, terms, tags, wanted)
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
            return len(await self._found(search, query_terms(search.text), tags))
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
        self,
        search: TemplateSearch,
        terms: Mapping[str, int],
        tags: _Tags,
        limit_rows: int = SEARCH_DEPTH,
    ) -> list[tuple[Key, float]]:
        """The hits of a search by words, in its order: what it is ordered by, and the score.

        All of them, or by relevance as many as are wanted.
        """
        if not terms:
            return []
        counts = await self._counts([term_hash(term) for term in terms])
        reaches = template_reaches(
            search,
            actor_id=self._scope.actor.id,
            by_system=self._by_system,
            tag_ids=tags.all_of,
            any_tag_ids=tags.any_of,
        )
        asked = weighted(terms, counts)
        if search.sort is Sort.RELEVANCE:
            best = template_best(search, reaches, asked, ScoredTemplate, limit_rows=limit_rows)
            rows = await self._scope.search(best)
            return [((row.score, row.id), row.score / SCORE_SCALE) for row in rows]
        every = template_best(search, reaches, asked, FoundTemplate, limit_rows=SEARCH_DEPTH)
        found = [
            (search.sort.key_of(row), row.score / SCORE_SCALE)
            for row in await self._scope.search(every)
        ]
        return sorted(found, reverse=search.sort is not Sort.OLDEST)

    async def _counts(self, terms: Sequence[int]) -> Counts:
        """How many public templates hold each term: as last counted, or now if they never were."""
        corpus = await SearchCorporaGateway(self._scope).find(corpus=TEMPLATES.name)
        if corpus is None:
            known = await TemplatePostingsGateway(self._scope).list_frequencies(
                search_terms=terms, limit_rows=len(terms)
            )
            documents = await self._templates.count_public()
        else:
            known = await SearchTermsGateway(self._scope).list_by_terms(
                corpus=TEMPLATES.name, search_terms=terms
            )
            documents = corpus.documents
        return Counts(documents, {count.term: count.documents for count in known})

    async def _hits(
        self, found: Sequence[tuple[Key, float]], terms: Mapping[str, int]
    ) -> list[TemplateHit]:
        """The templates themselves, as far as they still are there and to be seen."""
        ids = [cast(UUID, key[-1]) for key, _ in found]
        rows = {
            row.id: row
            for row in await self._templates.list_hits(
                template_ids=ids, head_chars=_HEAD_CHARS, **self._reader
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
        if scope is SearchScope.VISIBLE and self._by_system:
            return (Arm.PUBLIC, Arm.PRIVATE)
        if scope is SearchScope.PUBLIC or not self._scope.actor.is_user:
            return (Arm.PUBLIC,)
        return (Arm.OWN, Arm.PUBLIC_OF_OTHERS)
