"""What is about templates in their search: what it takes, whom it shows what, and its filters.

Without a text it is a page by key of the actor's own templates, and one of other people's public
ones: an OR across owners would use no index. With a text it is the best documents of
:mod:`dal.search.finding`, each of which is asked whose it is and who may see it in the statement
itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final, TypedDict, TypeVar
from uuid import UUID

import attrs
from pypika import CustomFunction, MySQLQuery, Order, Table
from pypika import functions as fn
from pypika.queries import QueryBuilder
from pypika.terms import Criterion, ExistsCriterion, Field

from dal.errors import UsageError, ValueRejectedError
from dal.records.clock import END_OF_TIME, START_OF_TIME, check_time
from dal.records.ids import MAX_ID, check_id
from dal.records.page import Key
from dal.records.templates import FoundTemplate, ScoredTemplate, TemplateSummary, Visibility
from dal.records.text import category_slug, free_text, label_key, optional_text, tag_key
from dal.search.binder import Binder, ById, columns_of
from dal.search.finding import Corpus, Reach, best_documents
from dal.search.postings import PUBLIC_SCOPE
from dal.search.query import Weighted
from dal.statements import Dynamic

__all__ = [
    "MAX_FILTER_TAGS",
    "MAX_TEXT_CHARS",
    "TEMPLATES",
    "Arm",
    "SearchScope",
    "Sort",
    "TemplateFilters",
    "TemplateSearch",
    "every_shape",
    "rating_rank",
    "template_best",
    "template_count",
    "template_reaches",
    "template_search",
]

R = TypeVar("R", bound=ScoredTemplate)

MAX_FILTER_TAGS = 8
"""The most tags that a search asks for, of those that must all be there and of the others."""

MAX_TEXT_CHARS = 1_000
"""The longest text that is searched for."""

_MAX_AUTHOR_CHARS: Final = 255
_MAX_NUMBER: Final = 2**64 - 1
_LOWEST_RATING, _HIGHEST_RATING = 1, 5
# Ten ratings of 3 that every template begins with, so that one rating of 5 is not the best.
_PRIOR_COUNT, _PRIOR_SUM = 10, 30
_RANK_SCALE: Final = 100_000


TEMPLATES: Final = Corpus(
    name="templates",
    postings="template_postings",
    document="template_id",
    documents="templates",
    pivot_terms=250,
)
"""Templates as the search has them; a typical one has a page of text."""


class SearchScope(StrEnum):
    """Whose templates are searched."""

    VISIBLE = "visible"
    MINE = "mine"
    PUBLIC = "public"


def rating_rank(rating_sum: int, rating_count: int) -> int:
    """What best rated ones are ordered by, as the column of that name."""
    return (rating_sum + _PRIOR_SUM) * _RANK_SCALE // (rating_count + _PRIOR_COUNT)


class Sort(StrEnum):
    """In which order: the greatest first, but for ``oldest``; of ties the id decides."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    POPULAR = "popular"
    TRENDING = "trending"
    RATING = "rating"

    @property
    def first_key(self) -> Key:
        """Where the first page starts; that of relevance for scores that are whole numbers."""
        if self is Sort.NEWEST:
            return (END_OF_TIME, MAX_ID)
        if self is Sort.OLDEST:
            return (START_OF_TIME, UUID(int=0))
        return (_MAX_NUMBER, MAX_ID)

    def key_of(self, row: TemplateSummary | FoundTemplate) -> Key:
        """Where a page ends whose last row this is.

        Raises:
            UsageError: by relevance, which no row tells.
        """
        if self in (Sort.NEWEST, Sort.OLDEST):
            return (row.created_at, row.id)
        if self is Sort.POPULAR:
            return (row.use_count, row.id)
        if self is Sort.TRENDING:
            return (row.trend, row.id)
        if self is Sort.RELEVANCE:
            raise UsageError("how well a row fits is not in the row")
        if isinstance(row, FoundTemplate):
            return (row.rating_rank, row.id)
        return (rating_rank(row.rating_sum, row.rating_count), row.id)


class Arm(StrEnum):
    """One statement of a search."""

    OWN = "own"
    PUBLIC = "public"
    PUBLIC_OF_OTHERS = "public_of_others"
    PRIVATE = "private"
    """Of everybody, for the system."""


def _text(value: object) -> str | None:
    if value is None:
        return None
    # What is around it does not count as too long.
    return free_text("text", free_text("text", value).strip(), max_chars=MAX_TEXT_CHARS) or None


def _checked_tags(field: str, tags: object) -> tuple[str, ...]:
    if isinstance(tags, (str, bytes)) or not isinstance(tags, Iterable):
        raise ValueRejectedError(f"{field}: a list of names is required", field=field)
    keys: dict[str, None] = {}
    for tag in tags:
        try:
            keys[tag_key(tag)] = None
        except ValueRejectedError as error:
            why = error.message.removeprefix("tags: ")
            raise ValueRejectedError(f"{field}: {why}", field=field) from None
        if len(keys) > MAX_FILTER_TAGS:
            raise ValueRejectedError(f"{field}: at most {MAX_FILTER_TAGS}", field=field)
    return tuple(keys)


def _tag_keys(value: Sequence[str]) -> tuple[str, ...]:
    return _checked_tags("tags", value)


def _any_tag_keys(value: Sequence[str]) -> tuple[str, ...]:
    return _checked_tags("any_tags", value)


def _author(value: object) -> str | None:
    return optional_text("author", value, max_chars=_MAX_AUTHOR_CHARS)


def _owner_id(value: object) -> UUID:
    return check_id("owner_id", value)


def _visibility(value: object) -> Visibility:
    try:
        return Visibility(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError(
            f"visibility: one of {', '.join(Visibility)}", field="visibility"
        ) from None


def _min_rating(value: object) -> Decimal:
    refused = ValueRejectedError(
        f"min_rating: a number from {_LOWEST_RATING} to {_HIGHEST_RATING}, at most two decimals",
        field="min_rating",
    )
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise refused
    # What a float prints as is what was typed.
    number = Decimal(float.__repr__(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or not _LOWEST_RATING <= number <= _HIGHEST_RATING:
        raise refused
    # Multiplied as a Decimal, the last of many digits would be rounded away.
    hundredths = Fraction(number) * 100
    if hundredths.denominator != 1:
        raise refused
    return Decimal(int(hundredths)) / 100


def _created_from(value: object) -> datetime:
    return check_time("created_from", value)


def _created_before(value: object) -> datetime:
    return check_time("created_before", value)


def _unused(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueRejectedError("unused: True or False", field="unused")
    return value


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


class TemplateFilters(TypedDict, total=False):
    """What a search of templates leaves out; see the fields of :class:`TemplateSearch`."""

    category: str | None
    tags: Sequence[str]
    any_tags: Sequence[str]
    author: str | None
    owner_id: UUID | None
    label: str | None
    visibility: Visibility | str | None
    min_rating: float | Decimal | None
    created_from: datetime | None
    created_before: datetime | None
    unused: bool
    scope: SearchScope | str


@attrs.frozen(slots=True, kw_only=True)
class TemplateSearch:
    """What is searched for, checked when it is made. Nothing given means no filter; an empty list
    of tags asks for none.

    ``created_from`` is within what is found, ``created_before`` is not. ``min_rating`` is of the
    mean of a template's ratings, so it finds none that nobody rated. Without ``sort`` a text is
    searched by relevance, and the newest come first where there is no text.

    Raises:
        ValueRejectedError: too long, too many tags, not of the kind that is asked for, no such
            choice, or by relevance without a text; ``field`` names it.
    """

    text: str | None = attrs.field(default=None, converter=_text)
    category: str | None = attrs.field(
        default=None, converter=attrs.converters.optional(category_slug)
    )
    tag_keys: tuple[str, ...] = attrs.field(default=(), alias="tags", converter=_tag_keys)
    any_tag_keys: tuple[str, ...] = attrs.field(
        default=(), alias="any_tags", converter=_any_tag_keys
    )
    author: str | None = attrs.field(default=None, converter=_author)
    owner_id: UUID | None = attrs.field(
        default=None, converter=attrs.converters.optional(_owner_id)
    )
    label: str | None = attrs.field(default=None, converter=attrs.converters.optional(label_key))
    visibility: Visibility | None = attrs.field(
        default=None, converter=attrs.converters.optional(_visibility)
    )
    min_rating: Decimal | None = attrs.field(
        default=None, converter=attrs.converters.optional(_min_rating)
    )
    created_from: datetime | None = attrs.field(
        default=None, converter=attrs.converters.optional(_created_from)
    )
    created_before: datetime | None = attrs.field(
        default=None, converter=attrs.converters.optional(_created_before)
    )
    unused: bool = attrs.field(default=False, converter=_unused)
    scope: SearchScope = attrs.field(default=SearchScope.VISIBLE, converter=_scope)
    chosen_sort: Sort | None = attrs.field(
        default=None, alias="sort", converter=attrs.converters.optional(_sort)
    )

    def __attrs_post_init__(self) -> None:
        if self.chosen_sort is Sort.RELEVANCE and self.text is None:
            raise ValueRejectedError("sort: relevance needs a text", field="sort")

    @property
    def sort(self) -> Sort:
        """The order that was asked for, or the one that goes without saying."""
        if self.chosen_sort is not None:
            return self.chosen_sort
        return Sort.NEWEST if self.text is None else Sort.RELEVANCE

    @property
    def list_name(self) -> str:
        """What its cursors belong to: another search is another list."""
        filters = [
            self.text,
            self.category,
            sorted(self.tag_keys),
            sorted(self.any_tag_keys),
            self.author,
            self.owner_id and str(self.owner_id),
            self.label,
            self.visibility,
            self.min_rating and str(self.min_rating),
            self.created_from and self.created_from.isoformat(),
            self.created_before and self.created_before.isoformat(),
            self.unused,
        ]
        return f"templates.search:{self.scope}:{self.sort}:{json.dumps(filters)}"


_json_arrayagg = CustomFunction("JSON_ARRAYAGG", ["value"])
_json_array = CustomFunction("JSON_ARRAY", [])
_left = CustomFunction("LEFT", ["text", "length"])


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


def _public(t: Table, binder: Binder) -> Criterion:
    return t.visibility == binder.bind("visibility", "VARCHAR(7)", Visibility.PUBLIC, "public")


def _of_arm(arm: Arm, t: Table, binder: Binder, actor_id: UUID | None) -> Criterion:
    if arm is Arm.PUBLIC:
        return _public(t, binder)
    if arm is Arm.PRIVATE:
        return t.visibility == binder.bind(
            "visibility", "VARCHAR(7)", Visibility.PRIVATE, "private"
        )
    actor = binder.bind("actor_id", "BINARY(16)", actor_id, "who asks")
    if arm is Arm.OWN:
        return t.owner_id == actor
    return _public(t, binder) & (t.owner_id != actor)


def _check_tags(search: TemplateSearch, tag_ids: Sequence[UUID], any_tags: Sequence[UUID]) -> None:
    """A filter that is lost would find more than was asked for."""
    if len(tag_ids) != len(search.tag_keys):
        raise UsageError("tag_ids: one of each tag that is asked for")
    if len(any_tags) > len(search.any_tag_keys):
        raise UsageError("any_tag_ids: of tags that are not asked for")


def _filtered_by_links(
    query: Any,
    search: TemplateSearch,
    t: Table,
    binder: Binder,
    tag_ids: Sequence[UUID],
    any_tag_ids: Sequence[UUID],
) -> Any:
    """With the filters that look into other tables, but for the category."""
    for i, tag_id in enumerate(tag_ids):
        link = Table("template_tags").as_(f"tag{i}")
        bound = binder.bind(f"tag_id_{i}", "BINARY(16)", tag_id, "a tag that is asked for")
        query = query.join(link).on((link.template_id == t.id) & (link.tag_id == bound))
    if search.any_tag_keys:
        link = Table("template_tags").as_("any_tag")
        several = binder.bind("any_tag_ids", "BINARY(16)", any_tag_ids, "one of them is asked for")
        query = query.where(
            ExistsCriterion(
                MySQLQuery.from_(link)
                .select(link.tag_id)
                .where((link.template_id == t.id) & link.tag_id.isin(several))
            )
        )
    if search.label is not None:
        label = Table("template_labels").as_("l")
        bound = binder.bind("label", "VARCHAR(100)", search.label, "a label that it has")
        query = query.join(label).on((label.template_id == t.id) & (label.label == bound))
    return query


def _filtered(query: Any, search: TemplateSearch, t: Table, binder: Binder) -> Any:
    """With the filters that look at the template itself."""
    if search.author is not None:
        author = binder.bind("author", "VARCHAR(255)", search.author, "whom the source credits")
        query = query.where(t.author_name == author)
    if search.owner_id is not None:
        owner = binder.bind("owner_id", "BINARY(16)", search.owner_id, "whose it is")
        query = query.where(t.owner_id == owner)
    if search.visibility is not None:
        # Not the public one of an arm: of private ones, an arm of public ones gives none.
        only = binder.bind("only", "VARCHAR(7)", search.visibility, "private or public")
        query = query.where(t.visibility == only)
    if search.min_rating is not None:
        hundredths = int(search.min_rating * 100)
        scale = binder.bind("rating_scale", "INT", 100, "hundredths in one")
        least = binder.bind("min_rating", "INT", hundredths, "the least mean, in hundredths")
        one = binder.bind("min_ratings", "INT", 1, "the fewest ratings")
        # A quotient would be rounded, and unlike on the two servers.
        query = query.where(t.rating_sum * scale >= least * t.rating_count)
        query = query.where(t.rating_count >= one)
    if search.created_from is not None:
        start = binder.bind("created_from", "DATETIME(6)", search.created_from, "not older")
        query = query.where(t.created_at >= start)
    if search.created_before is not None:
        end = binder.bind("created_before", "DATETIME(6)", search.created_before, "older")
        query = query.where(t.created_at < end)
    if search.unused:
        none = binder.bind("uses", "INT", 0, "how often it was used")
        query = query.where(t.use_count == none)
    return query


def _in_category(query: Any, search: TemplateSearch, t: Table, c: Table, binder: Binder) -> Any:
    slug = binder.bind("category", "VARCHAR(100)", search.category, "slug of the category")
    return query.join(c).on((t.category_id == c.id) & (c.slug == slug))


def _ordering(sort: Sort, t: Table) -> tuple[Field, str, str]:
    """The column of a sort, and name and type of its value in the last row of a page."""
    if sort is Sort.POPULAR:
        return t.use_count, "after_use_count", "BIGINT UNSIGNED"
    if sort is Sort.TRENDING:
        return t.trend, "after_trend", "BIGINT UNSIGNED"
    if sort is Sort.RATING:
        return t.rating_rank, "after_rating_rank", "BIGINT UNSIGNED"
    return t.created_at, "after_at", "DATETIME(6)"


_ACCESS: Final = {
    Arm.OWN: "actor",
    Arm.PUBLIC: "public",
    Arm.PUBLIC_OF_OTHERS: "public",
    Arm.PRIVATE: "system",
}
_KEYS_OF_PUBLIC: Final = {
    Sort.NEWEST: "ix_templates_visibility_created",
    Sort.OLDEST: "ix_templates_visibility_created",
    Sort.POPULAR: "ix_templates_visibility_use",
    Sort.TRENDING: "ix_templates_visibility_trend",
    Sort.RATING: "ix_templates_visibility_rating",
}


def _by_key(query: Any, search: TemplateSearch, arm: Arm, sort: Sort) -> tuple[Any, str]:
    """With its way into the templates, and the name of that key.

    Left alone, MySQL reads all users and all their templates, and sorts. Where a filter may be a
    better way in, the server chooses between the two.
    """
    of_one_owner = arm is Arm.OWN or search.owner_id is not None
    key = "ix_templates_owner_created" if of_one_owner else _KEYS_OF_PUBLIC[sort]
    ways_in = [key]
    if search.tag_keys or search.any_tag_keys or search.label is not None:
        ways_in.append("PRIMARY")
    if search.category is not None:
        ways_in.append("ix_templates_category")
    query = query.force_index(*ways_in)
    return (query if len(ways_in) > 1 else query.modifier("STRAIGHT_JOIN")), key


def _is_filtered(search: TemplateSearch) -> bool:
    return any((
        search.category, search.tag_keys, search.any_tag_keys, search.author is not None,
        search.owner_id, search.label, search.visibility, search.min_rating,
        search.created_from, search.created_before, search.unused,
    ))  # fmt: skip


def _reads(search: TemplateSearch, arm: Arm, sort: Sort, *, own: str, public: str) -> str:
    """What is read where nothing is passed over but templates of deleted owners."""
    if _is_filtered(search):
        return "n/a: filters pass over rows"
    if arm is Arm.PUBLIC_OF_OTHERS:
        return "n/a: the actor's own templates are passed over"
    if arm in (Arm.PUBLIC, Arm.PRIVATE):
        return public
    if sort not in (Sort.NEWEST, Sort.OLDEST):
        return "n/a: all of the actor's own templates are read, and sorted"
    return own


def template_search(
    search: TemplateSearch,
    arm: Arm,
    *,
    actor_id: UUID | None,
    tag_ids: Sequence[UUID],
    any_tag_ids: Sequence[UUID],
    after: Key,
    limit_rows: int,
) -> Dynamic[TemplateSummary]:
    """One statement of a search without a text: a page of an arm, in the order of ``search.sort``.

    Args:
        tag_ids: of every key of ``search.tag_keys``.
        any_tag_ids: of those of ``search.any_tag_keys`` that there are; none finds nothing.
        after: ``search.sort.key_of`` the last row of the page before, else its ``first_key``.

    Raises:
        UsageError: the search has a text, or the tags are not those of the search.
    """
    if search.text is not None:
        raise UsageError("words are looked for by template_best")
    _check_tags(search, tag_ids, any_tag_ids)
    binder = Binder()
    t, o, c = Table("templates").as_("t"), ById("users").as_("o"), Table("categories").as_("c")
    query: Any = MySQLQuery.from_(t).join(o).on((t.owner_id == o.id) & o.deleted_at.isnull())
    if search.category is None:
        query = query.left_join(c).on(t.category_id == c.id)
    else:
        query = _in_category(query, search, t, c, binder)
    query = _filtered_by_links(query, search, t, binder, tag_ids, any_tag_ids)
    query = query.where(_of_arm(arm, t, binder, actor_id)).where(t.deleted_at.isnull())
    query = _filtered(query, search, t, binder)
    column, name, sql_type = _ordering(search.sort, t)
    value = binder.bind(name, sql_type, after[0], f"{column.name} of the last row before")
    last = binder.bind("after_id", "BINARY(16)", after[1], "its id, to break ties")
    if search.sort is Sort.OLDEST:
        beyond, order = (column > value) | ((column == value) & (t.id > last)), Order.asc
    else:
        beyond, order = (column < value) | ((column == value) & (t.id < last)), Order.desc
    query = (
        query.where(beyond)
        .select(*columns_of(TemplateSummary, t, category=c.slug, tags=_tags_column(t)))
        .orderby(column, order=order)
        .orderby(t.id, order=order)
        .limit(binder.bind("limit_rows", "INT", limit_rows, "the most rows to give"))
    )
    query, key = _by_key(query, search, arm, search.sort)
    header = {
        "summary": "Search templates.",
        "access": _ACCESS[arm],
        "deleted": "excluded",
        "index": f"{key}, PRIMARY",
        "reads": _reads(
            search,
            arm,
            search.sort,
            own="3 * rows + 2 * tags + 3",
            public="4 * rows + 2 * tags + 2 * passed + 2",
        ),
    }
    return binder.finish(f"search/templates_{arm}", query, TemplateSummary, header)


def template_count(
    search: TemplateSearch,
    arm: Arm,
    *,
    actor_id: UUID | None,
    tag_ids: Sequence[UUID],
    any_tag_ids: Sequence[UUID],
) -> Dynamic[int]:
    """How many rows all pages of an arm of a search without a text have: one row, the number.

    Args:
        tag_ids: of every key of ``search.tag_keys``.
        any_tag_ids: of those of ``search.any_tag_keys`` that there are; none finds nothing.

    Raises:
        UsageError: the search has a text, or the tags are not those of the search.
    """
    if search.text is not None:
        raise UsageError("words are looked for by template_best")
    _check_tags(search, tag_ids, any_tag_ids)
    binder = Binder()
    t, o, c = Table("templates").as_("t"), ById("users").as_("o"), Table("categories").as_("c")
    query: Any = MySQLQuery.from_(t).join(o).on((t.owner_id == o.id) & o.deleted_at.isnull())
    if search.category is not None:
        query = _in_category(query, search, t, c, binder)
    query = _filtered_by_links(query, search, t, binder, tag_ids, any_tag_ids)
    query = query.where(_of_arm(arm, t, binder, actor_id)).where(t.deleted_at.isnull())
    number = fn.Count(t.id)
    query = (
        _filtered(query, search, t, binder)
        .select(number.as_("templates"))
        .orderby(number, order=Order.asc)
        .limit(binder.bind("limit_rows", "INT", 1, "the most rows to give"))
    )
    query, key = _by_key(query, search, arm, Sort.NEWEST)
    header = {
        "summary": "Count templates.",
        "access": _ACCESS[arm],
        "deleted": "excluded",
        "index": f"{key}, PRIMARY",
        "reads": "n/a: every row that is counted",
    }
    return binder.finish(f"search/template_count_{arm}", query, int, header)


def _reach(
    name: str,
    search: TemplateSearch,
    tag_ids: Sequence[UUID],
    any_tag_ids: Sequence[UUID],
    narrow: Callable[[Any, Table, Table, Binder], Any],
    *,
    from_owner: bool = False,
) -> Reach:
    """Postings of live templates of live owners that pass the filters, and what ``narrow`` says.

    Args:
        from_owner: look at the owner's templates first, then at their postings.
    """

    def of(p: Table, binder: Binder) -> Any:
        t = Table("templates").as_("t") if from_owner else ById("templates").as_("t")
        o, c = ById("users").as_("o"), ById("categories").as_("c")
        # The order in which the tables are read: the postings of a term come best first.
        if from_owner:
            query: Any = MySQLQuery.from_(t).force_index("ix_templates_owner_created")
            query = query.join(p).on(p.template_id == t.id)
        else:
            query = MySQLQuery.from_(p).join(t).on(t.id == p.template_id)
        query = query.join(o).on((t.owner_id == o.id) & o.deleted_at.isnull())
        if search.category is not None:
            query = _in_category(query, search, t, c, binder)
        query = _filtered_by_links(query, search, t, binder, tag_ids, any_tag_ids)
        query = narrow(query.where(t.deleted_at.isnull()), p, t, binder)
        return _filtered(query, search, t, binder).modifier("STRAIGHT_JOIN")

    return Reach(name, of)


def _in_scope(query: Any, p: Table, binder: Binder, owner: bool, scope: UUID) -> Any:
    name, meaning = ("own_scope", "whose it is") if owner else ("public_scope", "everybody's")
    return query.where(p.scope == binder.bind(name, "BINARY(16)", scope, meaning))


def template_reaches(
    search: TemplateSearch,
    *,
    actor_id: UUID | None,
    by_system: bool,
    tag_ids: Sequence[UUID],
    any_tag_ids: Sequence[UUID],
) -> tuple[Reach, ...]:
    """Where a text is looked for: in what the asker may find, and nowhere else.

    Args:
        actor_id: None sees what is public, and owns nothing.
        tag_ids: of every key of ``search.tag_keys``.
        any_tag_ids: of those of ``search.any_tag_keys`` that there are; none finds nothing.

    Raises:
        UsageError: the tags are not those of the search.
    """
    _check_tags(search, tag_ids, any_tag_ids)

    def public(query: Any, p: Table, t: Table, binder: Binder) -> Any:
        return _in_scope(query, p, binder, False, PUBLIC_SCOPE).where(_public(t, binder))

    def own_private(query: Any, p: Table, t: Table, binder: Binder) -> Any:
        query = _in_scope(query, p, binder, True, actor_id or PUBLIC_SCOPE)
        return query.where(_of_arm(Arm.OWN, t, binder, actor_id))

    def own_public(query: Any, p: Table, t: Table, binder: Binder) -> Any:
        return public(query, p, t, binder).where(_of_arm(Arm.OWN, t, binder, actor_id))

    def everything(query: Any, p: Table, t: Table, binder: Binder) -> Any:
        return query

    def reach(name: str, narrow: Any, *, from_owner: bool = False) -> Reach:
        return _reach(name, search, tag_ids, any_tag_ids, narrow, from_owner=from_owner)

    if search.scope is SearchScope.MINE:
        return (
            reach("own", own_private),
            reach("own_public", own_public, from_owner=True),
        )
    if search.scope is SearchScope.VISIBLE and by_system:
        return (reach("all", everything),)
    if search.scope is SearchScope.PUBLIC or actor_id is None:
        return (reach("public", public),)
    return (reach("public", public), reach("own", own_private))


def template_best(
    search: TemplateSearch,
    reaches: Sequence[Reach],
    terms: Sequence[Weighted],
    record: type[R],
    *,
    limit_rows: int,
) -> Dynamic[R]:
    """The templates within ``reaches`` that fit the terms best.

    Args:
        record: a ScoredTemplate or what has more fields.
    """
    names = {reach.name for reach in reaches}
    access = (
        "system" if "all" in names else "actor" if search.scope is SearchScope.MINE else "public"
    )
    if names == {"public", "own"}:
        access = "public or actor"
    index, reads = "PRIMARY", "n/a: a share of the postings of each word"
    if "own_public" in names:
        index += ", ix_templates_owner_created, ix_template_postings_template"
        reads += "; and all of the actor's templates"
    elif "all" in names:
        # Of two scopes, the postings of a word are in no one order of their impact.
        reads = "n/a: every posting of each word, and they are sorted"
    header = {
        "summary": "Find templates by words.",
        "access": access,
        "deleted": "excluded",
        "index": index,
        "reads": reads,
    }
    return best_documents(TEMPLATES, terms, reaches, record, limit_rows=limit_rows, header=header)


def every_shape(
    actor_id: UUID,
    tag_id: UUID,
    terms: Sequence[Weighted],
    filters: Mapping[str, Any],
    *,
    limit_rows: int = 21,
) -> Iterator[tuple[str, Dynamic[Any]]]:
    """Each kind of statement that a search can become, and what makes it differ.

    The review checks them like files: each arm in each order, without a filter, with each of
    ``filters`` (what :class:`TemplateSearch` takes) alone, and with all of them together. Every tag
    has the one id.
    """
    chosen = [{}, *({name: value} for name, value in filters.items()), dict(filters)]
    for given in chosen:
        label = " ".join(given) or "no filter"
        search = TemplateSearch(**given)
        tags: dict[str, Any] = {
            "tag_ids": [tag_id] * len(search.tag_keys),
            "any_tag_ids": [tag_id] * len(search.any_tag_keys),
        }
        for arm in Arm:
            for sort in _KEYS_OF_PUBLIC:
                yield (
                    f"{arm} {sort}: {label}",
                    template_search(
                        attrs.evolve(search, sort=sort),
                        arm,
                        actor_id=actor_id,
                        **tags,
                        after=sort.first_key,
                        limit_rows=limit_rows,
                    ),
                )
            yield (
                f"{arm} count: {label}",
                template_count(search, arm, actor_id=actor_id, **tags),
            )
        for scope in SearchScope:
            for who, actor, by_system in (("user", actor_id, False), ("system", None, True)):
                if scope is SearchScope.MINE and by_system:
                    continue
                reached = attrs.evolve(search, scope=scope)
                reaches = template_reaches(reached, actor_id=actor, by_system=by_system, **tags)
                yield (
                    f"{scope} by words for the {who}: {label}",
                    template_best(reached, reaches, terms, FoundTemplate, limit_rows=limit_rows),
                )
