"""Every statement that the search over templates can become, checked like a file.

What is to be found is told by a plain SELECT of all live templates and by Python, whatever they
were filled with.
"""

from __future__ import annotations

from collections import Counter
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
from dal.records.templates import FoundTemplate, TemplateSummary, Visibility
from dal.search.analysis import terms_of
from dal.search.finding import MAX_POSTINGS
from dal.search.postings import term_hash
from dal.search.query import Weighted
from dal.search.templates import (
    Arm,
    SearchScope,
    Sort,
    TemplateSearch,
    every_shape,
    template_best,
    template_count,
    template_reaches,
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
# A filter may lead the plan: then these keys are the way in, and the rows are sorted.
_KEYS_OF_FILTERS: Final = frozenset({
    "uq_categories_slug", "ix_templates_category", "ix_template_tags_tag",
    "ix_template_labels_label",
})  # fmt: skip
_LEADING: Final = frozenset({"category", "tags", "any_tags", "label"})
# Aliases of tables; and keys that the servers make for what they derive.
_TABLES: Final = frozenset({"p", "t", "o", "d", "c", "l", "tag0", "any_tag"})
_MADE_KEYS: Final = frozenset({"key0", "<auto_key0>", "<auto_key1>", "distinct_key"})
_LITERALS: Final = {
    Kind.STRING, Kind.NUMBER, Kind.VARIABLE, Kind.EXECUTABLE_COMMENT, Kind.COMMENT,
}  # fmt: skip
# Made of columns that are never NULL, which the servers do not know.
_NEVER_NULL: Final = ("score (", "rating_rank (")
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
            WHERE l.template_id = t.id)
    FROM templates t
    JOIN users o ON o.id = t.owner_id AND o.deleted_at IS NULL
    LEFT JOIN categories c ON c.id = t.category_id
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
        Arm.PRIVATE: not is_public,
    }[arm]


def _in_scope(scope: SearchScope, actor_id: UUID | None, by_system: bool, row: Truth) -> bool:
    is_own, is_public = row.owner_id == actor_id, row.visibility is Visibility.PUBLIC
    return {
        SearchScope.MINE: is_own,
        SearchScope.PUBLIC: is_public,
        SearchScope.VISIBLE: is_public or is_own or by_system,
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


# Of a word of some names, and of one of every name; and one that no template has.
_TERMS: Final = (
    Weighted(term_hash(*terms_of(WORD)), 5_000, 50),
    Weighted(term_hash(*terms_of("template")), 300, 450),
    Weighted(1, 9_000, 0),
)
_WEIGHTS: Final = {one.term: one.weight for one in _TERMS}


def _best(
    search: TemplateSearch, actor_id: UUID | None, limit_rows: int, *, by_system: bool = False
) -> Dynamic[FoundTemplate]:
    reaches = template_reaches(search, actor_id=actor_id, by_system=by_system, **_tag_ids(search))
    return template_best(search, reaches, _TERMS, FoundTemplate, limit_rows=limit_rows)


@cache
def shapes() -> list[tuple[str, Dynamic[Any]]]:
    return list(every_shape(_ME, fill.tag_id(0), _TERMS, _ALONE, limit_rows=_ALL_ROWS))


async def _answer(world: World, query: Dynamic[Any]) -> Sequence[Any]:
    rows = (await world.answer(query.handle.statement, query.values)).rows
    return query.handle.decoder.rows(rows)


async def _n_found(world: World, query: Dynamic[Any], actor_id: UUID = _ME) -> int:
    """The number of rows, or the number that is in the one row."""
    values = dict(query.values)
    values |= {name: actor_id for name in ("actor_id", "own_scope") if name in values}
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
    assert len(labels) == (len(Arm) * (len(_SORTS) + 1) + 2 * len(SearchScope) - 1) * (
        len(_ALONE) + 2
    )


async def test_every_shape_is_prepared_as_the_record(small: list[World]) -> None:
    faults = []
    for world in small:
        for label, query in shapes():
            found = await checks.check_prepare(world, query.handle)
            faults += [
                f"{world}: {label}: {fault}"
                for fault in found
                if query.handle.record is not FoundTemplate or not fault.startswith(_NEVER_NULL)
            ]
    none_of(faults)


def _plan_faults(label: str, query: Dynamic[Any], plan: Sequence[PlanStep]) -> list[str]:
    """The keys that the header says; and nothing is sorted where the key is in the order that is
    asked for: of the postings of a word, nothing is.
    """
    used, filters = keys_used(tuple(plan)), _filters_of(label)
    stated = frozenset(query.handle.statement.header.index.split(", "))
    # What was found is summed in tables that have no name of ours.
    faults = [f"full scan of {table}" for table in full_scans(tuple(plan)) if table in _TABLES]
    if "by words" in label:
        other = used - stated - _KEYS_OF_FILTERS - _MADE_KEYS
        return [*faults, f"{sorted(other)}"] if other else faults
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
                    # The system sees what is private, and nothing that is deleted.
                    if done == _HIDE and query.handle.statement.header.access == "system":
                        continue
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


_POSTINGS: Final = "SELECT template_id, term, impact FROM template_postings"


@attrs.frozen
class Posting:
    """What is stored of a term of a template."""

    template_id: UUID
    term: int
    impact: int


@pytest.fixture(scope="module")
async def scores(small: list[World]) -> Mapping[str, Mapping[UUID, int]]:
    """What each template scores, summed by Python."""
    found: dict[str, Counter[UUID]] = {}
    for world in small:
        of_one = found[str(world)] = Counter()
        for row in Decoder("postings", Posting).rows((await world.run(_POSTINGS)).rows):
            of_one[row.template_id] += row.impact * _WEIGHTS.get(row.term, 0)
    return found


WHO: Final = [(_ME, False), (fill.user_id(STRANGER), False), (None, False), (None, True)]


@filters_alone
@pytest.mark.parametrize("scope", SearchScope)
@pytest.mark.parametrize(("actor_id", "by_system"), WHO, ids=["me", "stranger", "nobody", "system"])
async def test_words_find_what_has_one_of_them_best_first(
    small: list[World],
    truths: Truths,
    scores: Mapping[str, Mapping[UUID, int]],
    filters: dict[str, Any],
    scope: SearchScope,
    actor_id: UUID | None,
    by_system: bool,
) -> None:
    if scope is SearchScope.MINE and actor_id is None:
        actor_id = fill.user_id(STRANGER)
    search = TemplateSearch(text=WORD, scope=scope, **filters)
    for world in small:
        of_all = scores[str(world)]
        wanted = [
            (of_all[row.id], row.id)
            for row in truths[str(world)]
            if of_all[row.id] and _in_scope(scope, actor_id, by_system, row) and _fits(search, row)
        ]
        wanted.sort(reverse=True)
        query = _best(search, actor_id, _ALL_ROWS, by_system=by_system)
        rows = await _answer(world, query)
        assert [(row.score, row.id) for row in rows] == wanted, world
        some = await _answer(world, _best(search, actor_id, 3, by_system=by_system))
        assert list(some) == list(rows[:3])


async def test_words_find_something_in_each_scope(small: list[World], truths: Truths) -> None:
    for world in small:
        rows = await _answer(world, _best(TemplateSearch(text=WORD), _ME, _ALL_ROWS))
        by_id = {row.id: row for row in truths[str(world)]}
        assert {by_id[row.id].visibility for row in rows} == set(Visibility)
        assert {by_id[row.id].owner_id == _ME for row in rows} == {True, False}


async def test_a_posting_decides_nothing_of_access(small: list[World]) -> None:
    """Were those of private templates everybody's, nobody would see more."""
    search = TemplateSearch(text=WORD)
    everybodys = "UPDATE template_postings SET scope = REPEAT(CHAR(0), 16)"
    for world in small:
        statement = (query := _best(search, None, _ALL_ROWS)).handle.statement
        before = (await world.answer(statement, query.values)).rows
        assert (await world.answer(statement, query.values, [everybodys])).rows == before
        hidden = await world.answer(statement, query.values, [everybodys, _HIDE])
        assert hidden.rows == ()


async def test_what_is_read_is_bounded_by_a_share_of_each_word(worlds: list[World]) -> None:
    """However many templates there are: of each posting its template and its owner."""
    for world in worlds:
        query = _best(TemplateSearch(text=WORD, scope="public"), None, LIMIT)
        n_rows = (await checks.fetched(world, query.handle, query.values)).total()
        of_deleted = 1 + 2 * world.factor * 100
        assert n_rows <= 3 * MAX_POSTINGS + LIMIT + of_deleted, world
