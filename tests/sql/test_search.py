"""Every statement that the search over templates can become, checked like a file.

What is to be found is told by a plain SELECT of all live templates and by Python, whatever they
were filled with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any, Final
from uuid import UUID

import attrs
import pytest

from dal.records.clock import END_OF_TIME
from dal.records.page import Key
from dal.records.search import Candidate
from dal.records.templates import TemplateSummary, Visibility
from dal.search.analysis import terms_of
from dal.search.documents import private_tokens, public_tokens
from dal.search.templates import (
    Arm,
    SearchScope,
    Sort,
    TemplateSearch,
    every_shape,
    rating_rank,
    template_candidates,
    template_count,
    template_most_used,
    template_search,
)
from dal.statements import Dynamic
from dal.statements.decode import Decoder
from dal.statements.lexer import Kind, tokens
from dal.testing.measure import PlanStep, explain, full_scans, keys_used
from tests import fill
from tests.fill import OWNER, STRANGER, WORD
from tests.sql import server_checks as checks
from tests.sql.aggregates.common import LIMIT
from tests.sql.test_statements import none_of
from tests.sql.worlds import World

_ME: Final = fill.user_id(OWNER)
_ALL_ROWS: Final = 100_000
_BY_WORDS: Final = "ft_templates_search_tokens"
# A filter may lead the plan: then these keys are the way in, and the rows are sorted.
_KEYS_OF_FILTERS: Final = frozenset({
    "uq_categories_slug", "ix_templates_category", "ix_template_tags_tag",
    "ix_template_labels_label",
})  # fmt: skip
_LEADING: Final = frozenset({"category", "tags", "any_tags", "label"})
_LITERALS: Final = {
    Kind.STRING, Kind.NUMBER, Kind.VARIABLE, Kind.EXECUTABLE_COMMENT, Kind.COMMENT,
}  # fmt: skip
# Made of columns that are never NULL, which the servers do not know.
_NEVER_NULL: Final = ("tokens (", "rating_rank (")
_SORTS: Final = tuple(sort for sort in Sort if sort is not Sort.RELEVANCE)
_TAGS: Final = ("tag0", "tag17")

# Each filter alone; all of them together are a shape too.
_ALONE: Final[dict[str, Any]] = {
    "category": "Category 0",
    "tags": [_TAGS[0]],
    "any_tags": _TAGS,
    "author": "AUTHOR 0",
    "owner_id": fill.user_id(2),
    "label": " Production ",
    "visibility": "public",
    "min_rating": 3.5,
    "created_from": fill.template_created_at(100),
    "created_before": fill.template_created_at(200),
    "unused": True,
}
_FILTERS: Final[list[dict[str, Any]]] = [
    {},
    *({name: value} for name, value in _ALONE.items()),
    {"tags": _TAGS},
    {"any_tags": _TAGS[1:]},
    {"author": "author 3"},
    {"owner_id": _ME},
    {"visibility": Visibility.PRIVATE},
    {"min_rating": 1},
    {"min_rating": Decimal("2.67")},
    {"min_rating": 3},
    {"min_rating": 5},
    {
        "created_from": fill.template_created_at(100) + timedelta(microseconds=1),
        "created_before": fill.template_created_at(300),
    },
    {"created_from": END_OF_TIME - timedelta(days=400)},
    {"tags": _TAGS[:1], "any_tags": _TAGS[1:], "label": "production"},
    {"category": "category-0", "min_rating": 2, "created_before": END_OF_TIME.replace(year=9998)},
    {"unused": True, "label": "production", "visibility": "public"},
]


def _named(filters: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in filters.items()) or "no filter"


filters_alone = pytest.mark.parametrize("filters", _FILTERS, ids=_named)
samples = pytest.mark.parametrize(
    ("arm", "sort", "filters"),
    list(product(Arm, _SORTS, _FILTERS)),
    ids=lambda value: _named(value) if isinstance(value, dict) else str(value),
)

# ----------------------------------------------------------------------------------- what there is

_TRUTH: Final = """
    SELECT t.id, t.owner_id, t.author_name, t.visibility, t.use_count, t.trend, t.rating_sum,
        t.rating_count, t.created_at, c.slug,
        (SELECT COALESCE(JSON_ARRAYAGG(g.tag_key), JSON_ARRAY()) FROM template_tags tt
            JOIN tags g ON g.id = tt.tag_id WHERE tt.template_id = t.id),
        (SELECT COALESCE(JSON_ARRAYAGG(l.label), JSON_ARRAY()) FROM template_labels l
            WHERE l.template_id = t.id),
        s.is_public, s.terms, s.tokens
    FROM templates t
    JOIN users o ON o.id = t.owner_id AND o.deleted_at IS NULL
    LEFT JOIN categories c ON c.id = t.category_id
    LEFT JOIN templates_search s ON s.template_id = t.id
    WHERE t.deleted_at IS NULL"""


@attrs.frozen
class Truth:
    """A live template of a live owner."""

    id: UUID
    owner_id: UUID
    author_name: str | None
    visibility: Visibility
    use_count: int
    trend: int
    rating_sum: int
    rating_count: int
    created_at: datetime
    category: str | None
    tags: frozenset[str]
    labels: frozenset[str]
    is_public: bool | None
    terms: int | None
    tokens: str | None


_KEYS: Final[Mapping[Sort, Callable[[Truth], Any]]] = {
    Sort.NEWEST: lambda row: (row.created_at, row.id),
    Sort.OLDEST: lambda row: (row.created_at, row.id),
    Sort.POPULAR: lambda row: (row.use_count, row.id),
    Sort.TRENDING: lambda row: (row.trend, row.id),
    Sort.RATING: lambda row: (
        (row.rating_sum + 30) * 100_000 // (row.rating_count + 10),
        row.id,
    ),
}


Truths = Mapping[str, Sequence[Truth]]


@pytest.fixture(scope="module")
async def truths(worlds: list[World]) -> Truths:
    decoder = Decoder("truth", Truth)
    return {str(world): decoder.rows((await world.run(_TRUTH)).rows) for world in worlds}


def _fits(search: TemplateSearch, row: Truth) -> bool:
    mean = Fraction(row.rating_sum, row.rating_count) if row.rating_count else None
    return (
        (search.category is None or row.category == search.category)
        and row.tags.issuperset(search.tag_keys)
        and (not search.any_tag_keys or not row.tags.isdisjoint(search.any_tag_keys))
        and (search.author is None or (row.author_name or "").lower() == search.author.lower())
        and search.owner_id in (None, row.owner_id)
        and (search.label is None or search.label in row.labels)
        and search.visibility in (None, row.visibility)
        and (search.min_rating is None or (mean is not None and mean >= search.min_rating))
        and (search.created_from is None or row.created_at >= search.created_from)
        and (search.created_before is None or row.created_at < search.created_before)
        and not (search.unused and row.use_count)
    )


def _in_arm(arm: Arm, row: Truth) -> bool:
    is_own, is_public = row.owner_id == _ME, row.visibility is Visibility.PUBLIC
    return {
        Arm.OWN: is_own,
        Arm.PUBLIC: is_public,
        Arm.PUBLIC_OF_OTHERS: is_public and not is_own,
    }[arm]


def _in_scope(scope: SearchScope, actor_id: UUID | None, row: Truth) -> bool:
    is_own, is_public = row.owner_id == actor_id, row.visibility is Visibility.PUBLIC
    return {
        SearchScope.MINE: is_own,
        SearchScope.PUBLIC: is_public,
        SearchScope.VISIBLE: is_public or is_own,
    }[scope]


def expected(search: TemplateSearch, arm: Arm, sort: Sort, truth: Sequence[Truth]) -> list[UUID]:
    """What is to be found, in order, by looking at every live template."""
    found = [row for row in truth if _in_arm(arm, row) and _fits(search, row)]
    found.sort(key=_KEYS[sort], reverse=sort is not Sort.OLDEST)
    return [row.id for row in found]


# ---------------------------------------------------------------------------------- what is asked


def _tag_ids(search: TemplateSearch) -> dict[str, Any]:
    def ids(keys: Sequence[str]) -> list[UUID]:
        return [fill.tag_id(int(key.removeprefix("tag"))) for key in keys]

    return {"tag_ids": ids(search.tag_keys), "any_tag_ids": ids(search.any_tag_keys)}


def _page(
    search: TemplateSearch, arm: Arm, after: Key | None = None, limit_rows: int = LIMIT
) -> Dynamic[TemplateSummary]:
    return template_search(
        search,
        arm,
        actor_id=_ME,
        **_tag_ids(search),
        after=after or search.sort.first_key,
        limit_rows=limit_rows,
    )


def _most_used(search: TemplateSearch, arm: Arm, limit_rows: int) -> Dynamic[Candidate]:
    return template_most_used(search, arm, actor_id=_ME, **_tag_ids(search), limit_rows=limit_rows)


# Of a word of some public templates, and of one of every private template of OWNER.
_SOME, _EVERY = terms_of(f"{WORD} template")
_WORDS: Final = (public_tokens(_SOME).body, private_tokens(_EVERY, _ME).body)


def _by_words(search: TemplateSearch, actor_id: UUID | None, limit_rows: int) -> Dynamic[Candidate]:
    return template_candidates(
        search,
        actor_id=actor_id,
        **_tag_ids(search),
        words=" ".join(_WORDS),
        limit_rows=limit_rows,
    )


@cache
def shapes() -> list[tuple[str, Dynamic[Any]]]:
    return list(every_shape(_ME, fill.tag_id(0), " ".join(_WORDS), _ALONE, limit_rows=_ALL_ROWS))


async def _answer(world: World, query: Dynamic[Any]) -> Sequence[Any]:
    rows = (await world.answer(query.handle.statement, query.values)).rows
    return query.handle.decoder.rows(rows)


async def _n_found(world: World, query: Dynamic[Any], actor_id: UUID = _ME) -> int:
    """The number of rows, or the number that is in the one row."""
    values = dict(query.values)
    if "actor_id" in values:
        values["actor_id"] = actor_id
    answer = await world.run(query.handle.statement.render(values).sql)
    return int(answer.rows[0][0] or 0) if query.handle.record is int else len(answer.rows)


def _filters_of(label: str) -> frozenset[str]:
    return frozenset(label.partition(": ")[2].split()) & _ALONE.keys()


# ------------------------------------------------------------------------------------- every shape


def test_no_shape_holds_a_literal() -> None:
    labels = set()
    for label, query in shapes():
        found = {token.kind for token in tokens(query.handle.statement.sql)}
        assert not found & _LITERALS, label
        labels.add(label)
    assert len(labels) == (len(Arm) * (len(_SORTS) + 2) + len(SearchScope)) * (len(_ALONE) + 2)


async def test_every_shape_is_prepared_as_the_record(small: list[World]) -> None:
    faults = []
    for world in small:
        for label, query in shapes():
            found = await checks.check_prepare(world, query.handle)
            faults += [
                f"{world}: {label}: {fault}"
                for fault in found
                if query.handle.record is not Candidate or not fault.startswith(_NEVER_NULL)
            ]
    none_of(faults)


def _plan_faults(label: str, query: Dynamic[Any], plan: Sequence[PlanStep]) -> list[str]:
    """By words: the full-text index, then each row by its id. Else the key that the header says;
    and nothing is sorted where that key is in the order that is asked for.
    """
    used, filters = keys_used(tuple(plan)), _filters_of(label)
    stated = frozenset(query.handle.statement.header.index.split(", "))
    faults = [f"full scan of {table}" for table in full_scans(tuple(plan))]
    if "by words" in label:
        if [(step.table, step.access, step.keys) for step in plan if step.access == "fulltext"] != [
            ("s", "fulltext", (_BY_WORDS,))
        ]:
            faults.append(f"not by the full-text index: {plan}")
        return faults if used == stated else [*faults, f"{sorted(used)}"]
    if not used <= (stated | _KEYS_OF_FILTERS if filters & _LEADING else stated):
        faults.append(f"{sorted(used)}")
    in_order = not label.startswith("own") and "owner_id" not in filters
    in_order |= " newest:" in label or " oldest:" in label
    sorts = any("filesort" in step.extra or "temporary" in step.extra for step in plan)
    if sorts and in_order and not filters & _LEADING:
        faults.append(f"sorts: {[step.extra for step in plan]}")
    return faults


async def test_every_shape_finds_its_rows_by_a_key(worlds: list[World]) -> None:
    """On the large tables: in small ones a scan is as good, and MySQL knows it."""
    faults = []
    for world in worlds:
        if world.factor == 1:
            continue
        for label, query in shapes():
            plan = await explain(
                world.connection,
                query.handle.statement.render({**query.values, "limit_rows": LIMIT}).sql,
            )
            # One's own templates of somebody else: both servers know that there are none.
            if label.startswith(("own", "mine")) and "owner_id" in label:
                continue
            faults += [f"{world}: {label}: {fault}" for fault in _plan_faults(label, query, plan)]
    none_of(faults)


_HIDE: Final = "UPDATE templates SET visibility = 'private'"
_DELETE: Final = "UPDATE {} SET deleted_at = updated_at WHERE deleted_at IS NULL"


async def test_a_stranger_sees_nothing_of_others_and_nobody_what_is_deleted(
    small: list[World],
) -> None:
    """Whatever the search rows say: they are as they were."""
    faults, found = [], set()
    stranger = fill.user_id(STRANGER)
    for world in small:
        for label, query in shapes():
            if await _n_found(world, query):
                found.add(label)
        for done, actor_id in (
            (_HIDE, stranger),
            (_DELETE.format("templates"), _ME),
            (_DELETE.format("users"), _ME),
        ):
            async with world.undone():
                await world.run(done)
                for label, query in shapes():
                    if n := await _n_found(world, query, actor_id):
                        faults.append(f"{world}: {label}: {n} rows after {done}")
        # Without hiding anything: what is not one's own is none of what only the owner sees.
        for label, query in shapes():
            if label.startswith(("own", "mine")) and (n := await _n_found(world, query, stranger)):
                faults.append(f"{world}: {label}: {n} rows of others")
    none_of(faults)
    # As things are, each of them gives something without a filter, and some do with each.
    assert {label for label, _ in shapes() if not _filters_of(label)} <= found
    assert set().union(*map(_filters_of, found)) == _ALONE.keys()


# ---------------------------------------------------------------------------------- without a text


@samples
async def test_a_search_finds_what_there_is(
    small: list[World], truths: Truths, arm: Arm, sort: Sort, filters: dict[str, Any]
) -> None:
    search = TemplateSearch(sort=sort, **filters)
    for world in small:
        rows = await _answer(world, _page(search, arm, limit_rows=_ALL_ROWS))
        assert [row.id for row in rows] == expected(search, arm, sort, truths[str(world)]), world


@filters_alone
def test_what_is_looked_for_is_there(
    small: list[World], truths: Truths, filters: dict[str, Any]
) -> None:
    """Each filter finds something, and not everything: but for a time that is to come."""
    search = TemplateSearch(**filters)
    for world in small:
        live = truths[str(world)]
        n_found = sum(_fits(search, row) for row in live)
        if not filters:
            assert n_found == len(live)
        else:
            is_future = search.created_from is not None and search.created_from.year > 9000
            assert (n_found == 0) == is_future, world
            assert n_found < len(live), world


@samples
async def test_pages_of_a_search_follow_each_other(
    small: list[World], truths: Truths, arm: Arm, sort: Sort, filters: dict[str, Any]
) -> None:
    search = TemplateSearch(sort=sort, **filters)
    for world in small:
        ids = expected(search, arm, sort, truths[str(world)])
        limit_rows = max(1, len(ids) // 3)
        walked: list[UUID] = []
        after = sort.first_key
        while rows := await _answer(world, _page(search, arm, after, limit_rows)):
            assert len(rows) <= limit_rows
            walked += [row.id for row in rows]
            after = sort.key_of(rows[-1])
            assert len(walked) <= len(ids)
        assert walked == ids, world


@filters_alone
@pytest.mark.parametrize("arm", Arm)
async def test_the_pages_of_a_search_are_counted(
    small: list[World], truths: Truths, arm: Arm, filters: dict[str, Any]
) -> None:
    search = TemplateSearch(**filters)
    query = template_count(search, arm, actor_id=_ME, **_tag_ids(search))
    for world in small:
        n_wanted = len(expected(search, arm, Sort.NEWEST, truths[str(world)]))
        assert await _answer(world, query) == [n_wanted], world


@pytest.mark.parametrize("arm", Arm)
@pytest.mark.parametrize("sort", _SORTS)
async def test_a_page_without_filters_reads_what_it_gives(
    worlds: list[World], arm: Arm, sort: Sort
) -> None:
    faults = []
    search = TemplateSearch(sort=sort)
    for world in worlds:
        whole = await _answer(world, _page(search, arm, limit_rows=_ALL_ROWS))
        middle = sort.key_of(whole[len(whole) // 2])
        for after in (None, middle):
            query = _page(search, arm, after)
            found = await checks.check_reads(world, query.handle, query.values)
            faults += [f"{world}: {fault}" for fault in found]
    none_of(faults)


async def test_the_greatest_cursor_is_before_every_row(small: list[World]) -> None:
    """A number that no column holds is compared, not cut off."""
    for world in small:
        for sort in (Sort.POPULAR, Sort.TRENDING, Sort.RATING):
            search = TemplateSearch(sort=sort)
            all_rows = await _answer(world, _page(search, Arm.PUBLIC, limit_rows=_ALL_ROWS))
            n_public = await world.run(
                "SELECT COUNT(*) FROM templates t JOIN users o ON o.id = t.owner_id"
                " WHERE t.visibility = 'public' AND t.deleted_at IS NULL AND o.deleted_at IS NULL"
            )
            assert str(len(all_rows)) == n_public.rows[0][0]
            after: Key = (0, UUID(int=0))
            assert await _answer(world, _page(search, Arm.PUBLIC, after)) == []


# ------------------------------------------------------------------------------------- with a text


def _candidate(row: Truth) -> Candidate:
    assert row.is_public is not None
    assert row.terms is not None
    assert row.tokens is not None
    return Candidate(
        id=row.id,
        is_public=row.is_public,
        terms=row.terms,
        tokens=row.tokens[:32_768],
        created_at=row.created_at,
        use_count=row.use_count,
        trend=row.trend,
        rating_rank=rating_rank(row.rating_sum, row.rating_count),
    )


def _with_words(truth: Sequence[Truth]) -> dict[UUID, Truth]:
    wanted = set(_WORDS)
    return {row.id: row for row in truth if wanted & set((row.tokens or "").split())}


@filters_alone
@pytest.mark.parametrize("scope", SearchScope)
@pytest.mark.parametrize("actor_id", [_ME, fill.user_id(STRANGER), None], ids=str)
async def test_words_find_every_row_that_holds_one_of_them(
    small: list[World],
    truths: Truths,
    filters: dict[str, Any],
    scope: SearchScope,
    actor_id: UUID | None,
) -> None:
    search = TemplateSearch(text=WORD, scope=scope, **filters)
    for world in small:
        wanted = {
            _candidate(row)
            for row in _with_words(truths[str(world)]).values()
            if _in_scope(scope, actor_id, row) and _fits(search, row)
        }
        query = _by_words(search, actor_id, _ALL_ROWS)
        rows = await _answer(world, query)
        if set(rows) != wanted:
            # Both servers may miss committed rows while they write their cache of words.
            rows = await _answer(world, query)
        assert set(rows) == wanted, world
        assert len(rows) == len(wanted)
        some = await _answer(world, _by_words(search, actor_id, 3))
        assert len(some) == min(3, len(wanted))
        assert set(some) <= wanted


async def test_words_find_something_in_each_scope(small: list[World], truths: Truths) -> None:
    for world in small:
        rows = _with_words(truths[str(world)]).values()
        assert {row.visibility for row in rows} == set(Visibility)
        assert {row.owner_id == _ME for row in rows} == {True, False}
        # A public word is not in a private row, and a private one is in its owner's alone.
        for row in rows:
            held = set((row.tokens or "").split())
            assert (_WORDS[0] in held) == (row.visibility is Visibility.PUBLIC)
            assert (_WORDS[1] in held) <= (row.owner_id == _ME)


async def test_the_best_fit_comes_first(small: list[World]) -> None:
    """A row with the rarer words, and with more of them."""
    common, rare = (public_tokens(term).body for term in terms_of("template 12"))
    for world in small:
        query = template_candidates(
            TemplateSearch(text="x", scope="public"),
            actor_id=None,
            tag_ids=[],
            any_tag_ids=[],
            words=f"{common} {rare}",
            limit_rows=_ALL_ROWS,
        )
        rows = await _answer(world, query)
        have = [rare in row.tokens.split() for row in rows]
        assert have[0]
        assert not have[-1]
        assert have == sorted(have, reverse=True)


async def test_a_long_row_is_cut(small: list[World]) -> None:
    update = "UPDATE templates_search SET tokens = CONCAT(REPEAT(' aword_', 10000), tokens)"
    query = _most_used(TemplateSearch(text="x"), Arm.PUBLIC, 3)
    for world in small:
        rows = query.handle.decoder.rows(
            (await world.answer(query.handle.statement, query.values, [update])).rows
        )
        assert len(rows) == 3
        assert {len(row.tokens) for row in rows} == {32_768}


async def test_what_the_search_row_says_of_access_decides_nothing(small: list[World]) -> None:
    all_public = "UPDATE templates_search SET is_public = TRUE"
    search = TemplateSearch(text=WORD)
    for world in small:
        statement = (query := _by_words(search, None, _ALL_ROWS)).handle.statement
        before = (await world.answer(statement, query.values)).rows
        assert len((await world.answer(statement, query.values, [all_public])).rows) == len(before)
        hidden = await world.answer(statement, query.values, [all_public, _HIDE])
        assert hidden.rows == ()


@filters_alone
@pytest.mark.parametrize("arm", Arm)
async def test_common_words_give_the_most_used(
    small: list[World], truths: Truths, arm: Arm, filters: dict[str, Any]
) -> None:
    search = TemplateSearch(text="x", **filters)
    for world in small:
        by_id = {row.id: row for row in truths[str(world)]}
        ids = expected(search, arm, Sort.POPULAR, truths[str(world)])
        wanted = [_candidate(by_id[i]) for i in ids if by_id[i].tokens is not None]
        assert await _answer(world, _most_used(search, arm, _ALL_ROWS)) == wanted, world
        assert await _answer(world, _most_used(search, arm, 5)) == wanted[:5], world


@pytest.mark.parametrize("arm", Arm)
async def test_the_most_used_are_read_and_no_others(worlds: list[World], arm: Arm) -> None:
    faults = []
    for world in worlds:
        query = _most_used(TemplateSearch(text="x"), arm, LIMIT)
        found = await checks.check_reads(world, query.handle, query.values)
        faults += [f"{world}: {fault}" for fault in found]
    none_of(faults)
