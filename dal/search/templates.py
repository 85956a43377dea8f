"""The search over templates.

Words are looked for in name, description and credited author, each word in any of them, without
regard to case and accents; a letter that is stored as two characters, the base and the accent,
is found as it is stored. Everything else is a filter. What is one search to the caller may be
two statements, the actor's own templates and other people's public ones: an OR across owners would
use no index.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import product
from typing import Any, Final
from uuid import UUID

import attrs
from pypika import CustomFunction, MySQLQuery, Order, Table
from pypika import functions as fn
from pypika.queries import QueryBuilder
from pypika.terms import Criterion

from dal.errors import ValueRejectedError
from dal.records.clock import END_OF_TIME, START_OF_TIME
from dal.records.ids import MAX_ID
from dal.records.page import Key
from dal.records.templates import TemplateSummary, Visibility
from dal.records.text import category_slug, free_text, tag_key
from dal.search.binder import Binder, escape_like
from dal.statements import Dynamic

__all__ = [
    "MAX_FILTER_TAGS",
    "MAX_WORDS",
    "Arm",
    "SearchScope",
    "Sort",
    "TemplateSearch",
    "every_shape",
    "template_search",
]

MAX_WORDS = 8
"""The most words of one search."""

MAX_FILTER_TAGS = 8
"""The most tags that a search asks for."""

_MAX_TEXT_CHARS: Final = 500


class SearchScope(StrEnum):
    """Whose templates are searched."""

    VISIBLE = "visible"
    MINE = "mine"
    PUBLIC = "public"


class Sort(StrEnum):
    """In which order."""

    NEWEST = "newest"
    OLDEST = "oldest"

    @property
    def first_key(self) -> Key:
        """Where the first page starts."""
        return (END_OF_TIME, MAX_ID) if self is Sort.NEWEST else (START_OF_TIME, UUID(int=0))


class Arm(StrEnum):
    """One statement of a search."""

    OWN = "own"
    PUBLIC = "public"
    PUBLIC_OF_OTHERS = "public_of_others"


def _words(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    # As it is typed: what is stored keeps its form too, so each text is found by itself.
    checked = free_text("text", text, max_chars=_MAX_TEXT_CHARS)
    words = tuple(dict.fromkeys(checked.split()))
    if len(words) > MAX_WORDS:
        raise ValueRejectedError(f"text: at most {MAX_WORDS} words", field="text")
    return words


def _tag_keys(tags: Sequence[str]) -> tuple[str, ...]:
    if isinstance(tags, (str, bytes)) or not isinstance(tags, Iterable):
        raise ValueRejectedError("tags: a list of names is required", field="tags")
    keys = tuple(dict.fromkeys(tag_key(tag) for tag in tags))
    if len(keys) > MAX_FILTER_TAGS:
        raise ValueRejectedError(f"tags: at most {MAX_FILTER_TAGS}", field="tags")
    return keys


def _scope(value: object) -> SearchScope:
    try:
        return SearchScope(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError(f"scope: one of {', '.join(SearchScope)}", field="scope") from None


def _sort(value: object) -> Sort:
    try:
        return Sort(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError(f"sort: one of {', '.join(Sort)}", field="sort") from None


@attrs.frozen(slots=True, kw_only=True)
class TemplateSearch:
    """What is searched for, checked when it is made. Nothing given means no filter; an empty list
    of tags asks for none.

    Raises:
        ValueRejectedError: too many words or tags, or not text; ``field`` names it.
    """

    words: tuple[str, ...] = attrs.field(default=None, alias="text", converter=_words)
    tag_keys: tuple[str, ...] = attrs.field(default=(), alias="tags", converter=_tag_keys)
    category: str | None = attrs.field(
        default=None, converter=attrs.converters.optional(category_slug)
    )
    scope: SearchScope = attrs.field(default=SearchScope.VISIBLE, converter=_scope)
    sort: Sort = attrs.field(default=Sort.NEWEST, converter=_sort)

    @property
    def list_name(self) -> str:
        """What its cursors belong to: another search is another list."""
        filters = json.dumps([self.words, sorted(self.tag_keys), self.category])
        return f"templates.search:{self.scope}:{self.sort}:{filters}"


_json_arrayagg = CustomFunction("JSON_ARRAYAGG", ["value"])
_json_array = CustomFunction("JSON_ARRAY", [])


class _Owners(Table):  # type: ignore[misc]
    """The owners, each by id: where users are few, MariaDB else reads all live ones each time."""

    def get_sql(self, **kwargs: Any) -> str:
        sql: str = super().get_sql(**kwargs)
        return f"{sql} FORCE INDEX (PRIMARY)" if kwargs.get("with_alias", True) else sql


def _tags_column(templates: Table) -> QueryBuilder:
    links, tags = Table("template_tags").as_("tt"), Table("tags").as_("g")
    return (
        MySQLQuery.from_(links)
        .join(tags)
        .on(links.tag_id == tags.id)
        .where(links.template_id == templates.id)
        .select(fn.Coalesce(_json_arrayagg(tags.name), _json_array()))
        # Statistics of an empty table would have all tags read for each template.
        .modifier("STRAIGHT_JOIN")
    )


def _arm_criterion(arm: Arm, t: Table, binder: Binder, actor_id: UUID | None) -> Criterion:
    if arm is Arm.OWN:
        return t.owner_id == binder.bind("actor_id", "BINARY(16)", actor_id, "who asks")
    is_public: Criterion = t.visibility == binder.bind(
        "visibility", "VARCHAR(7)", Visibility.PUBLIC, "public"
    )
    if arm is Arm.PUBLIC:
        return is_public
    return is_public & (t.owner_id != binder.bind("actor_id", "BINARY(16)", actor_id, "who asks"))


def template_search(
    search: TemplateSearch,
    arm: Arm,
    *,
    actor_id: UUID | None,
    tag_ids: Sequence[UUID],
    after: Key,
    limit_rows: int,
) -> Dynamic[TemplateSummary]:
    """One statement of a search.

    Args:
        tag_ids: of every key of ``search.tag_keys``.
        after: created_at and id of the last row of the page before.
    """
    binder = Binder()
    t, o, c = Table("templates").as_("t"), _Owners("users").as_("o"), Table("categories").as_("c")
    query: Any = MySQLQuery.from_(t).join(o).on((t.owner_id == o.id) & o.deleted_at.isnull())
    if search.category is None:
        query = query.left_join(c).on(t.category_id == c.id)
    else:
        slug = binder.bind("category", "VARCHAR(100)", search.category, "slug of the category")
        query = query.join(c).on((t.category_id == c.id) & (c.slug == slug))
    for i, tag_id in enumerate(tag_ids):
        link = Table("template_tags").as_(f"tag{i}")
        bound = binder.bind(f"tag_id_{i}", "BINARY(16)", tag_id, "a tag that is asked for")
        query = query.join(link).on((link.template_id == t.id) & (link.tag_id == bound))
    query = query.where(_arm_criterion(arm, t, binder, actor_id)).where(t.deleted_at.isnull())
    for i, word in enumerate(search.words):
        pattern = binder.bind(f"word_{i}", "VARCHAR(1100)", f"%{escape_like(word)}%", "a word")
        query = query.where(
            t.name.like(pattern) | t.description.like(pattern) | t.author_name.like(pattern)
        )
    at = binder.bind("after_at", "DATETIME(6)", after[0], "created_at of the last row before")
    last = binder.bind("after_id", "BINARY(16)", after[1], "its id, to break ties")
    if search.sort is Sort.NEWEST:
        beyond = (t.created_at < at) | ((t.created_at == at) & (t.id < last))
        order = Order.desc
    else:
        beyond = (t.created_at > at) | ((t.created_at == at) & (t.id > last))
        order = Order.asc
    query = (
        query.where(beyond)
        .select(
            t.id.as_("id"),
            t.owner_id.as_("owner_id"),
            t.name.as_("name"),
            t.description.as_("description"),
            t.author_name.as_("author_name"),
            c.slug.as_("category"),
            _tags_column(t).as_("tags"),
            t.visibility.as_("visibility"),
            t.head_version.as_("head_version"),
            t.created_at.as_("created_at"),
            t.updated_at.as_("updated_at"),
            t.deleted_at.as_("deleted_at"),
        )
        .orderby(t.created_at, order=order)
        .orderby(t.id, order=order)
        .limit(binder.bind("limit_rows", "INT", limit_rows, "the most rows to give"))
    )
    own = arm is Arm.OWN
    key = "ix_templates_owner_created" if own else "ix_templates_visibility_created"
    filtered = bool(tag_ids) or search.category is not None
    # Left alone, MySQL reads all users and all their templates, and sorts. Where a filter may be a
    # better way in, the server chooses between the two.
    ways_in = [key]
    if tag_ids:
        ways_in.append("PRIMARY")
    if search.category is not None:
        ways_in.append("ix_templates_category")
    query = query.force_index(*ways_in)
    if not filtered:
        query = query.modifier("STRAIGHT_JOIN")
    header = {
        "summary": "Search templates.",
        "access": "actor" if own else "public",
        "deleted": "excluded",
        "index": f"{key}, PRIMARY",
        "reads": _reads(arm, filtered=filtered or bool(search.words)),
    }
    return binder.finish(f"search/templates_{arm}", query, TemplateSummary, header)


def _reads(arm: Arm, *, filtered: bool) -> str:
    if filtered:
        return "n/a: filters pass over rows"
    if arm is Arm.PUBLIC_OF_OTHERS:
        return "n/a: the actor's own templates are passed over"
    if arm is Arm.OWN:
        return "3 * rows + 2 * tags + 3"
    return "4 * rows + 2 * tags + 2 * passed + 2"


def every_shape(
    actor_id: UUID, tag_id: UUID, word: str, category: str
) -> Iterator[tuple[str, Dynamic[TemplateSummary]]]:
    """Each statement that a search can become, with these values, and what makes it differ.

    The review checks them like files: filters are there or not, words and tags are counted.
    """
    for arm, sort, with_category, n_words, n_tags in product(
        Arm, Sort, (False, True), range(MAX_WORDS + 1), range(MAX_FILTER_TAGS + 1)
    ):
        search = TemplateSearch(
            text=" ".join(f"{word}{'' if i == 0 else i}" for i in range(n_words)),
            category=category if with_category else None,
            sort=sort,
        )
        label = f"{arm} {sort} {n_words} words {n_tags} tags{' category' * with_category}"
        yield (
            label,
            template_search(
                search,
                arm,
                actor_id=actor_id,
                tag_ids=[tag_id] * n_tags,
                after=sort.first_key,
                limit_rows=21,
            ),
        )
