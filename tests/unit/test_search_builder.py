"""PyPika, fenced in: no value is inlined, nothing but a bounded SELECT is built."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypika import MySQLQuery, Order, Table
from pypika import functions as fn
from pypika.terms import Interval, Parameter

import dal
from dal.records.page import decode_cursor, encode_cursor
from dal.records.templates import FoundTemplate, TemplateSummary, Visibility
from dal.records.vocabulary import Tag
from dal.search.binder import Binder, escape_like
from dal.search.query import Weighted
from dal.search.templates import (
    MAX_FILTER_TAGS,
    Arm,
    Sort,
    TemplateFilters,
    TemplateSearch,
    every_shape,
    rating_rank,
    template_count,
    template_reaches,
    template_search,
)
from dal.statements.lexer import Kind, tokens
from tests.made import record

T = Table("tags").as_("g")
HEADER = {"summary": "Find.", "access": "n/a", "deleted": "n/a", "index": "n/a", "reads": "1"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def query(binder: Binder) -> Any:
    """A search that is all right, to be spoilt."""
    return (
        MySQLQuery.from_(T)
        .select(T.id.as_("id"), T.tag_key.as_("tag_key"), T.name.as_("name"))
        .orderby(T.id)
        .limit(binder.bind("limit_rows", "INT", 5, "1 to 501"))
    )


def finish(binder: Binder, built: Any) -> Any:
    return binder.finish("search/tags", built, Tag, HEADER)


def test_a_bound_value_is_not_in_the_text() -> None:
    binder = Binder()
    evil = "x' OR 1=1 -- \\"
    built = finish(
        binder, query(binder).where(T.name == binder.bind("name", "VARCHAR(100)", evil, "a name"))
    )
    assert "OR 1=1" not in built.handle.statement.sql
    assert built.values == {"limit_rows": 5, "name": evil}
    rendered = built.handle.statement.render(built.values).sql.decode()
    assert "`name`='x\\' OR 1=1 -- \\\\'" in rendered


@pytest.mark.parametrize(
    "spoil",
    [
        lambda q: q.where(T.name == "text"),
        lambda q: q.where(T.name == "back\\slash'"),
        lambda q: q.where(T.name == 5),
        lambda q: q.where(T.name == -5),
        lambda q: q.where(T.name == 1.5),
        lambda q: q.where(T.name == True),  # noqa: E712
        lambda q: q.where(T.name == None),  # noqa: E711
        lambda q: q.where(T.name == b"bytes"),
        lambda q: q.where(T.name == uuid4()),
        lambda q: q.where(T.name == datetime(2026, 1, 1, tzinfo=UTC)),
        lambda q: q.where(T.name.isin(["a", "b"])),
        lambda q: q.where(T.name.isin([None])),
        lambda q: q.where(T.name.like("%a%")),
        lambda q: q.where(T.name.between(1, 2)),
        # In its parameter mode too, PyPika inlines the arguments of functions.
        lambda q: q.where(fn.Concat(T.name, "x") == T.tag_key),
        lambda q: q.where(fn.Coalesce(T.name, "'") == T.tag_key),
        lambda q: q.where(T.name > fn.Now() - Interval(days=1)),
        lambda q: q.where(T.name == Parameter("%s")),
        lambda q: q.where(T.name == Parameter("?")),
        lambda q: q.where(T.name == Parameter(":unbound")),
        lambda q: q.where(T.name == Parameter("@variable")),
        lambda q: q.where(T.name == Parameter("1; DROP TABLE tags")),
        lambda q: q.where(T.name == Parameter("name /* comment */")),
        lambda q: q.where(T.name == Parameter("name -- comment")),
        lambda q: q.select(5),
        lambda q: q.limit(10),
        lambda q: q.limit("1; DROP TABLE tags"),
        lambda q: q.offset(10),
        lambda q: q.for_update(),
        lambda q: q.orderby(T.name, order=Order.desc).where(T.name == ""),
    ],
)
def test_a_value_that_was_not_bound_is_refused(spoil: Any) -> None:
    binder = Binder()
    with pytest.raises(dal.StatementError):
        finish(binder, spoil(query(binder)))


def test_is_null_is_no_value() -> None:
    binder = Binder()
    built = finish(binder, query(binder).where(T.name.isnull()).where(T.id.notnull()))
    assert "IS NULL" in built.handle.statement.sql


@pytest.mark.parametrize(
    "build",
    [
        lambda limit: MySQLQuery.update(T).set(T.name, limit).where(T.id == T.id),
        lambda limit: MySQLQuery.from_(T).delete().where(T.id == limit),
        lambda limit: MySQLQuery.into(T).insert(limit),
        lambda limit: MySQLQuery.into(T).from_(T).select(T.id).orderby(T.id).limit(limit),
        lambda limit: MySQLQuery.from_(T).select(T.id),
        lambda limit: MySQLQuery.from_(T).select(T.id).limit(limit),
        lambda limit: MySQLQuery.from_(T).select(T.id).orderby(T.id),
        lambda limit: MySQLQuery.drop_table(T),
    ],
)
def test_only_a_bounded_ordered_select_is_built(build: Any) -> None:
    binder = Binder()
    limit = binder.bind("limit_rows", "INT", 5, "1 to 501")
    with pytest.raises(dal.StatementError):
        finish(binder, build(limit))


def test_one_query_one_binder() -> None:
    binder = Binder()
    built = query(binder)
    finish(binder, built)
    with pytest.raises(dal.StatementError):
        finish(binder, built)
    with pytest.raises(dal.StatementError):
        binder.bind("late", "INT", 5, "too late")
    binder = Binder()
    binder.bind("twice", "INT", 5, "first")
    with pytest.raises(dal.StatementError):
        binder.bind("twice", "INT", 6, "second")
    binder = Binder()
    binder.bind("lost", "INT", 5, "a filter that was forgotten")
    with pytest.raises(dal.StatementError, match="lost"):
        finish(binder, query(binder))


FILTERS: dict[str, Any] = {
    "category": "haystack",
    "tags": ["a", "b"],
    "any_tags": ["c", "d", "e"],
    "author": "needle",
    "owner_id": uuid4(),
    "label": "straw",
    "visibility": "public",
    "min_rating": 4.25,
    "created_from": datetime(2026, 1, 1, tzinfo=UTC),
    "created_before": datetime(2026, 2, 1, tzinfo=UTC),
    "unused": True,
}
# What a filter leaves in a statement, and where it stands there.
TRACES = {
    "category": "`c`.`slug`=:category",
    "tags": "`tag1`.`tag_id`=:tag_id_1",
    "any_tags": "`any_tag`.`tag_id` IN :any_tag_ids",
    "author": "`t`.`author_name`=:author",
    "owner_id": "`t`.`owner_id`=:owner_id",
    "label": "`l`.`label`=:label",
    "visibility": "`t`.`visibility`=:only",
    "min_rating": "`t`.`rating_sum`*:rating_scale>=:min_rating*`t`.`rating_count`"
    " AND `t`.`rating_count`>=:min_ratings",
    "created_from": "`t`.`created_at`>=:created_from",
    "created_before": "`t`.`created_at`<:created_before",
    "unused": "`t`.`use_count`=:uses",
}
# Of each arm and reach: whose it is and who may see it.
ACCESS = {
    "own": ["`t`.`owner_id`=:actor_id AND"],
    "public": ["`t`.`visibility`=:visibility AND `t`.`deleted_at`"],
    "public_of_others": ["`t`.`visibility`=:visibility AND `t`.`owner_id`<>:actor_id AND"],
    "private": ["`t`.`visibility`=:visibility AND `t`.`deleted_at`"],
    "visible by words for the user": [
        "`p`.`scope`=:public_scope AND `t`.`visibility`=:visibility",
        "`p`.`scope`=:own_scope AND `t`.`owner_id`=:actor_id",
    ],
    "mine by words for the user": [
        "`p`.`scope`=:own_scope AND `t`.`owner_id`=:actor_id",
        "`p`.`scope`=:public_scope AND `t`.`visibility`=:visibility AND `t`.`owner_id`=:actor_id",
    ],
    "public by words for the user": ["`p`.`scope`=:public_scope AND `t`.`visibility`=:visibility"],
    "public by words for the system": [
        "`p`.`scope`=:public_scope AND `t`.`visibility`=:visibility"
    ],
    "visible by words for the system": [],
}
TERMS = (Weighted(5, 2, 0), Weighted(6, 1, 9))


def test_every_shape_is_made_of_bound_values_alone() -> None:
    actor, tag = uuid4(), uuid4()
    labels: set[str] = set()
    texts: set[str] = set()
    for label, built in every_shape(actor, tag, TERMS, FILTERS):
        labels.add(label)
        sql = built.handle.statement.sql
        texts.add(sql)
        assert not built.handle.statement.writes
        # The binder has looked at each; here without it.
        kinds = {token.kind for token in tokens(sql)}
        assert kinds <= {Kind.WORD, Kind.QUOTED_NAME, Kind.PARAM, Kind.SPACE, Kind.OTHER}
        # Deleted templates and deleted owners are left out in each of them, for each word.
        kind, _, given = label.partition(": ")
        by_words = len(TERMS) if "by words" in kind else 1
        n_parts = by_words * (
            2 if kind.startswith(("visible by words for the user", "mine")) else 1
        )
        assert sql.count("`t`.`deleted_at` IS NULL") == n_parts, label
        assert sql.count("`t`.`owner_id`=`o`.`id` AND `o`.`deleted_at` IS NULL") == n_parts
        built.handle.statement.render(built.values)
        for part in ACCESS[kind if by_words > 1 else kind.split()[0]]:
            assert sql.count(part) == by_words, label
        names = set() if given == "no filter" else set(given.split())
        assert {name for name, trace in TRACES.items() if trace in sql} == names, label
    # What the system finds in public it finds as anybody does; private ones by another value.
    n_kinds = 4 * (5 + 1) + 5
    assert len(labels) == n_kinds * (1 + len(FILTERS) + 1)
    assert len(texts) == (n_kinds - 1 - 6) * (1 + len(FILTERS) + 1)


@given(
    st.lists(TEXT, max_size=4),
    st.lists(TEXT, max_size=4),
    st.none() | TEXT,
    st.none() | TEXT,
    st.none() | TEXT,
)
def test_any_text_is_a_filter_or_refused(
    tags: list[str],
    any_tags: list[str],
    category: str | None,
    author: str | None,
    label: str | None,
) -> None:
    """Parsing never fails in another way, and what is typed never becomes part of the text."""
    typed: dict[str, Any] = {"category": category, "author": author, "label": label}
    try:
        search = TemplateSearch(tags=tags, any_tags=any_tags, **typed)
    except dal.ValueRejectedError:
        return
    plain = TemplateSearch(
        tags=[f"t{i}" for i in range(len(search.tag_keys))],
        any_tags=["t"] if search.any_tag_keys else [],
        **{name: None if value is None else "x" for name, value in typed.items()},
    )
    built, other = (
        template_search(
            one,
            Arm.PUBLIC,
            actor_id=None,
            tag_ids=[uuid4() for _ in one.tag_keys],
            any_tag_ids=[uuid4() for _ in one.any_tag_keys],
            after=one.sort.first_key,
            limit_rows=21,
        )
        for one in (search, plain)
    )
    assert built.handle.statement.sql == other.handle.statement.sql
    assert built.handle.record is TemplateSummary


@given(TEXT)
def test_escape_like_is_undone_by_like(text: str) -> None:
    escaped = escape_like(text)
    read: list[str] = []
    letters = iter(escaped)
    for letter in letters:
        assert letter not in "%_"
        read.append(next(letters) if letter == "\\" else letter)
    assert "".join(read) == text


def test_what_a_search_is_made_of() -> None:
    search = TemplateSearch(
        text=" Two  two WORDS ", tags=["B", "b", " a "], any_tags=("X", "x"), category="C d",
        label=" Production ", visibility="public", min_rating=4.5,
        created_from=datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
    )  # fmt: skip
    assert search.text == "Two  two WORDS"
    assert search.tag_keys == ("b", "a")
    assert search.any_tag_keys == ("x",)
    assert (search.category, search.label) == ("c-d", "production")
    assert (search.scope, search.visibility) == ("visible", Visibility.PUBLIC)
    assert search.min_rating == Decimal("4.5")
    assert search.created_from == datetime(2026, 1, 1, tzinfo=UTC)
    # What was checked is taken again.
    assert attrs.evolve(search) == search
    nothing = TemplateSearch(text="\n ", tags=[], any_tags=(), category=None, min_rating=None)
    assert TemplateSearch() == nothing
    assert nothing.text is None


def test_the_order_that_goes_without_saying() -> None:
    assert TemplateSearch().sort is Sort.NEWEST
    assert TemplateSearch(text="a").sort is Sort.RELEVANCE
    assert TemplateSearch(text="a", sort="popular").sort is Sort.POPULAR
    assert TemplateSearch(sort=Sort.RATING).sort is Sort.RATING
    for text in (None, "", " \t"):
        with pytest.raises(dal.ValueRejectedError) as refused:
            TemplateSearch(text=text, sort="relevance")
        assert refused.value.field == "sort"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "x" * 1_001),
        ("text", "\ud800"),
        ("text", b"x"),
        ("text", 5),
        ("category", " "),
        ("category", 5),
        ("tags", "tag"),
        ("tags", b"tag"),
        ("tags", 5),
        ("tags", [""]),
        ("tags", [None]),
        ("tags", ["x" * 101]),
        ("tags", [f"t{i}" for i in range(MAX_FILTER_TAGS + 1)]),
        ("any_tags", "tag"),
        ("any_tags", None),
        ("any_tags", [" "]),
        ("any_tags", ["\ud800"]),
        ("any_tags", [f"t{i}" for i in range(MAX_FILTER_TAGS + 1)]),
        ("author", "x" * 256),
        ("author", "\ud800"),
        ("author", 5),
        ("owner_id", str(UUID(int=7))),
        ("owner_id", b"0123456789abcdef"),
        ("label", ""),
        ("label", "x" * 101),
        ("label", 5),
        ("visibility", "PUBLIC"),
        ("visibility", "hidden"),
        ("visibility", True),
        ("min_rating", 0),
        ("min_rating", 0.99),
        ("min_rating", Decimal("5.01")),
        ("min_rating", 4.125),
        ("min_rating", Decimal("4.001")),
        ("min_rating", Decimal(4) + Decimal("1e-27")),
        ("min_rating", Decimal("4." + "0" * 40 + "1")),
        ("min_rating", float("nan")),
        ("min_rating", float("inf")),
        ("min_rating", Decimal("sNaN")),
        ("min_rating", True),
        ("min_rating", "4"),
        ("min_rating", 1e300),
        ("min_rating", Decimal("1e999999")),
        ("created_from", datetime(2026, 1, 1)),  # noqa: DTZ001 - that is what is refused
        ("created_from", "2026-01-01"),
        ("created_from", datetime(1000, 1, 1, tzinfo=UTC)),
        ("created_before", datetime(2026, 1, 1).date()),  # noqa: DTZ001
        ("created_before", datetime(9999, 1, 1, tzinfo=UTC)),
        ("unused", 1),
        ("unused", None),
        ("scope", "all"),
        ("scope", None),
        ("sort", "name"),
        ("sort", "NEWEST"),
        ("sort", 5),
    ],
)
def test_what_is_no_filter_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(dal.ValueRejectedError) as refused:
        TemplateSearch(**{field: value})
    assert refused.value.field == field
    assert refused.value.message.startswith(f"{field}: ")


def test_the_greatest_filters_are_taken() -> None:
    tags = [f"t{i}" for i in range(MAX_FILTER_TAGS)]
    search = TemplateSearch(
        text=" " + "x" * 1_000 + " ", tags=[*tags, *tags], any_tags=tags, author="x" * 255,
        label="x" * 100,
    )  # fmt: skip
    assert len(search.tag_keys) == len(search.any_tag_keys) == MAX_FILTER_TAGS


@pytest.mark.parametrize(
    ("given", "hundredths"),
    [(1, 100), (5, 500), (4.35, 435), (1.1, 110), (4.999e0, None), (Decimal("3.50"), 350),
     (Decimal("2.330000"), 233), (Decimal("5E+0"), 500), (4.7, 470), (2.675, None)],
)  # fmt: skip
def test_a_rating_is_compared_in_whole_hundredths(given: Any, hundredths: int | None) -> None:
    if hundredths is None:
        with pytest.raises(dal.ValueRejectedError):
            TemplateSearch(min_rating=given)
        return
    search = TemplateSearch(min_rating=given)
    built = template_count(search, Arm.PUBLIC, actor_id=None, tag_ids=[], any_tag_ids=[])
    assert built.values["min_rating"] == hundredths
    assert built.values["rating_scale"] == 100


def test_each_filter_makes_another_list() -> None:
    base: dict[str, Any] = {"text": "words", **FILTERS}
    names = {TemplateSearch(**base).list_name, TemplateSearch().list_name}
    changed = {
        "text": "word", "category": "hay", "tags": ["a"], "any_tags": ["c"], "author": "Needle",
        "owner_id": uuid4(), "label": "hay", "visibility": "private", "min_rating": 4.26,
        "created_from": datetime(2026, 1, 2, tzinfo=UTC),
        "created_before": datetime(2026, 2, 2, tzinfo=UTC), "unused": False, "scope": "mine",
        "sort": "newest",
    }  # fmt: skip
    for name, value in changed.items():
        names.add(TemplateSearch(**{**base, name: value}).list_name)
    # A tag that must be there is no tag that may be.
    names |= {TemplateSearch(tags=["a"]).list_name, TemplateSearch(any_tags=["a"]).list_name}
    assert len(names) == len(changed) + 4
    same = TemplateSearch(**{**base, "tags": ["B", "A", "a"], "any_tags": ["E", "d", "c"]})
    assert same.list_name == TemplateSearch(**base).list_name
    assert changed.keys() == {attr.alias for attr in attrs.fields(TemplateSearch)}
    assert changed.keys() - {"text", "sort"} == TemplateFilters.__annotations__.keys()


SUMMARY = record(TemplateSummary, use_count=7, trend=8, rating_sum=9, rating_count=2)
FOUND = record(FoundTemplate, id=SUMMARY.id, use_count=7, trend=8, rating_rank=325_000)


@pytest.mark.parametrize("row", [SUMMARY, FOUND])
def test_a_page_ends_with_what_it_is_ordered_by(row: TemplateSummary | FoundTemplate) -> None:
    assert Sort.NEWEST.key_of(row) == Sort.OLDEST.key_of(row) == (row.created_at, row.id)
    assert Sort.POPULAR.key_of(row) == (7, row.id)
    assert Sort.TRENDING.key_of(row) == (8, row.id)
    assert Sort.RATING.key_of(row) == (325_000, row.id)
    with pytest.raises(dal.UsageError):
        Sort.RELEVANCE.key_of(row)
    for sort in Sort:
        if sort is Sort.RELEVANCE:
            continue
        # A cursor is taken when it has the types of where the first page starts.
        assert [type(part) for part in sort.key_of(row)] == [type(p) for p in sort.first_key]
        assert (sort.key_of(row) < sort.first_key) == (sort is not Sort.OLDEST)
        assert decode_cursor("x", encode_cursor("x", sort.first_key), sort.key_of(row))


def test_a_rank_is_what_the_column_says() -> None:
    assert rating_rank(0, 0) == 300_000
    assert rating_rank(5, 1) == 3_500_000 // 11
    assert rating_rank(5 * 10**6, 10**6) < 500_000


@pytest.mark.parametrize(
    ("filters", "tag_ids", "any_tag_ids"),
    [({"tags": ["a", "b"]}, 1, 0), ({}, 1, 0), ({"tags": ["a"]}, 0, 0), ({}, 0, 1),
     ({"any_tags": ["a"]}, 0, 2)],
)  # fmt: skip
def test_no_filter_is_lost_on_the_way(
    filters: dict[str, Any], tag_ids: int, any_tag_ids: int
) -> None:
    search = TemplateSearch(**filters)
    ids: dict[str, Any] = {
        "actor_id": None,
        "tag_ids": [uuid4()] * tag_ids,
        "any_tag_ids": [uuid4()] * any_tag_ids,
        "limit_rows": 1,
    }
    with pytest.raises(dal.UsageError, match="tag_ids"):
        template_search(search, Arm.PUBLIC, after=search.sort.first_key, **ids)
    del ids["limit_rows"]
    with pytest.raises(dal.UsageError, match="tag_ids"):
        template_reaches(search, by_system=False, **ids)
    with pytest.raises(dal.UsageError, match="tag_ids"):
        template_count(search, Arm.PUBLIC, **ids)


def test_one_of_tags_that_there_are_not_finds_nothing() -> None:
    search = TemplateSearch(any_tags=["a"])
    built = template_count(search, Arm.PUBLIC, actor_id=None, tag_ids=[], any_tag_ids=[])
    assert built.handle.statement.render(built.values).empty_list


def test_a_page_without_words_has_no_text() -> None:
    search = TemplateSearch(text="words", sort="newest")
    with pytest.raises(dal.UsageError):
        template_search(
            search, Arm.PUBLIC, actor_id=None, tag_ids=[], any_tag_ids=[],
            after=search.sort.first_key, limit_rows=1,
        )  # fmt: skip
    with pytest.raises(dal.UsageError):
        template_count(search, Arm.PUBLIC, actor_id=None, tag_ids=[], any_tag_ids=[])


def test_a_page_of_nobodys_own_is_refused() -> None:
    for arm in (Arm.OWN, Arm.PUBLIC_OF_OTHERS):
        built = template_count(TemplateSearch(), arm, actor_id=None, tag_ids=[], any_tag_ids=[])
        with pytest.raises(dal.ValueRejectedError):
            built.handle.statement.render(built.values)
