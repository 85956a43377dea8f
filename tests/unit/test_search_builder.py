"""PyPika, fenced in: no value is inlined, nothing but a bounded SELECT is built."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypika import MySQLQuery, Order, Table
from pypika import functions as fn
from pypika.terms import Interval, Parameter

import dal
from dal.records.templates import TemplateSummary
from dal.records.vocabulary import Tag
from dal.search.binder import Binder, escape_like
from dal.search.templates import (
    MAX_FILTER_TAGS,
    MAX_WORDS,
    Arm,
    Sort,
    TemplateSearch,
    every_shape,
    template_search,
)
from dal.statements.lexer import Kind, tokens

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


def test_every_shape_is_made_of_bound_values_alone() -> None:
    n_shapes = 0
    texts: dict[str, set[str]] = {}
    actor, tag = uuid4(), uuid4()
    for _, built in every_shape(actor, tag, "needle", "haystack"):
        n_shapes += 1
        statement = built.handle.statement
        assert not statement.writes
        if n_shapes % 9 == 0:
            # The binder has looked at each; here without it.
            kinds = {token.kind for token in tokens(statement.sql)}
            assert kinds <= {Kind.WORD, Kind.QUOTED_NAME, Kind.PARAM, Kind.SPACE, Kind.OTHER}
        # Deleted templates and deleted owners are left out in each of them.
        assert "`t`.`deleted_at` IS NULL" in statement.sql
        assert "`o`.`deleted_at` IS NULL" in statement.sql
        assert "needle" not in statement.sql
        assert "haystack" not in statement.sql
        own = statement.name.endswith("_own")
        assert ("`t`.`owner_id`=:actor_id" in statement.sql) == own
        assert ("`t`.`visibility`=:visibility" in statement.sql) != own
        statement.render(built.values)
        texts.setdefault(statement.name, set()).add(statement.sql)
    assert n_shapes == 3 * 2 * 2 * (MAX_WORDS + 1) * (MAX_FILTER_TAGS + 1)
    # Each shape is a text of its own.
    assert sum(len(found) for found in texts.values()) == n_shapes


@given(TEXT, st.lists(TEXT, max_size=4), st.none() | TEXT)
def test_any_text_is_a_search_or_refused(text: str, tags: list[str], category: str | None) -> None:
    """Parsing never fails in another way, and what is typed never becomes part of the text."""
    try:
        search = TemplateSearch(text=text, tags=tags, category=category)
    except dal.ValueRejectedError:
        return
    built = template_search(
        search, Arm.PUBLIC, actor_id=None, tag_ids=[uuid4() for _ in search.tag_keys],
        after=Sort.NEWEST.first_key, limit_rows=21,
    )  # fmt: skip
    plain = template_search(
        TemplateSearch(
            text=" ".join(f"w{i}" for i in range(len(search.words))),
            category=None if category is None else "c",
        ),
        Arm.PUBLIC, actor_id=None, tag_ids=[uuid4() for _ in search.tag_keys],
        after=Sort.NEWEST.first_key, limit_rows=21,
    )  # fmt: skip
    assert built.handle.statement.sql == plain.handle.statement.sql
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
    search = TemplateSearch(text=" Two  two WORDS ", tags=["B", "b", " a "], category="C d")
    assert search.words == ("Two", "two", "WORDS")
    assert search.tag_keys == ("b", "a")
    assert (search.category, search.scope, search.sort) == ("c-d", "visible", "newest")
    assert TemplateSearch() == TemplateSearch(text="", tags=[], category=None)
    other = TemplateSearch(text="Two two WORDS", tags=["a", "b"], category="c D")
    assert search.list_name == other.list_name
    assert search.list_name != TemplateSearch(text="Two two").list_name
