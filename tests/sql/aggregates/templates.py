"""Templates and what hangs on them: what their statements are asked with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import log2
from typing import Final, cast

from dal.records.clock import END_OF_TIME
from dal.statements import Statement
from tests import fill
from tests.fill import NOBODY, NOW, OWNER, START, STRANGER
from tests.sql.aggregates.common import (
    ADMIN,
    BEFORE_ALL,
    BY_SYSTEM,
    DELETED_USER,
    FRESH,
    IN_TRASH,
    LIMIT,
    NEVER_MISSES,
    TRASH,
    Aggregate,
    Values,
    actor,
    is_owner,
    live,
    restored_at_now,
    same,
    seen,
    user_number,
)

# Templates of OWNER: a live private one of three versions with two tags, a live public one, and
# some in the trash.
PRIVATE: Final = 20
PUBLIC: Final = 60
# Of those in the trash some without a label, which would keep them there.
BARE_TRASH: Final = (50, 130, 210)
# A public template of somebody else that OWNER rated.
RATED: Final = 21
# A template of OWNER that was never used.
UNUSED: Final = 10
# A live public template of a deleted user, and a live user who rated it.
ORPHAN: Final = next(
    n
    for n in range(fill.n_templates(1))
    if fill.is_public(n)
    and fill.template_deleted_at(n) is None
    and fill.user_deleted_at(fill.owner_of(n, 1)) is not None
    and fill.rating_numbers(n, 1)[1] > 1
    and fill.template_labels(n)
)


def _live_rater(n: int) -> int:
    """Who rated a template of others first."""
    return next(
        user
        for user in fill.ratings(n, 1)
        if user not in (fill.owner_of(n, 1), OWNER) and fill.user_deleted_at(user) is None
    )


_NEW_TEMPLATE: Final[Values] = {"template_id": fill.template_id(FRESH)}
_OF_SOMEBODY: Final[tuple[Values, ...]] = (
    {},
    {"template_id": fill.template_id(PUBLIC), "version": 1},
    {"template_id": fill.template_id(PUBLIC), "version": 1, "actor_id": fill.user_id(STRANGER)},
)
_READ: Final[tuple[Values, ...]] = (
    *_OF_SOMEBODY,
    {"template_id": fill.template_id(PUBLIC), "version": 1, "actor_id": None},
    BY_SYSTEM,
)
_OR_NEWEST: Final[tuple[Values, ...]] = (
    {"or_newest": True},
    {"or_newest": True, "label": "no-such-label"},
)
# Never used; by a clock that stands before 2020; used last by a clock that is ahead of this one.
_USES: Final[tuple[Values, ...]] = (
    {"template_id": fill.template_id(UNUSED)},
    {"template_id": fill.template_id(UNUSED), "now": datetime(2019, 12, 31, tzinfo=UTC)},
    {"now": START - timedelta(days=200)},
)
_LIVE_ONES: Final[Values] = {"template_ids": [fill.template_id(n) for n in (PUBLIC, PRIVATE)]}
_OF_DELETED: Final[Mapping[str, Values]] = {
    "a template of who is deleted": {"template_id": fill.template_id(ORPHAN)},
}


def _template_cursor(n: int) -> Values:
    return {"before_at": fill.template_created_at(n), "before_id": fill.template_id(n)}


def _trash_cursor(n: int) -> Values:
    return {"before_deleted_at": fill.template_deleted_at(n), **_template_cursor(n)}


def _move_cursor(k: int) -> Values:
    *_, at = fill.label_moves(PRIVATE)[k]
    return {"before_at": at, "before_id": fill.label_moves_id(PRIVATE, k)}


def _rating_cursor(k: int, factor: int) -> Values:
    user = list(fill.ratings(PRIVATE, factor))[k]
    return {
        "before_at": fill.rating_updated_at(PRIVATE, k),
        "before_id": fill.user_id(user),
    }


# One of those that a statement is about.
_RATED: Final = PRIVATE
_FILED: Final = next(n for n in range(20) if fill.template_category(n) == 1)
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
_WEEK_S: Final = 7 * 86_400


def _used(values: Values) -> Values:
    """A use more; the trend is what :class:`~dal.records.templates.TemplateSummary` says."""
    n, now = _number(values), values["now"]
    assert isinstance(now, datetime)
    seconds, trend = int((now - _EPOCH).total_seconds()), fill.template_trend(n)
    # To the nearest. Never a half: 10^9 / 604,800 is a fraction whose denominator is odd.
    weeks = (seconds * 10**9 + _WEEK_S // 2) // _WEEK_S
    if trend:
        apart = abs(seconds / _WEEK_S - trend / 10**9)
        trend = max(trend, weeks) + round(10**9 * log2(1 + 2**-apart))
    else:
        trend = max(weeks, 1)
    return {"use_count": fill.template_uses(n) + 1, "trend": trend}


def _rated(values: Values) -> Values:
    total, number = fill.rating_numbers(_number(values), 1)
    by, more = values["rating_change"], values["count_change"]
    assert isinstance(by, int)
    assert isinstance(more, int)
    return {"rating_sum": total + by, "rating_count": number + more}


def _of_rater(sign: int) -> Callable[[Values], Values]:
    """The numbers of a template with and without the rating of a user."""

    def numbers(values: Values) -> Values:
        total, number = fill.rating_numbers(_RATED, 1)
        rating = fill.ratings(_RATED, 1)[user_number(values)]
        return {"rating_sum": total + sign * rating, "rating_count": number + sign}

    return numbers


def _numbers_of_owner(factor: int, values: Values) -> list[tuple[object, ...]]:
    own = [n for n in live(factor) if fill.user_id(fill.owner_of(n, factor)) == values["owner_id"]]
    numbers = [fill.rating_numbers(n, factor) for n in own]
    return [
        (
            len(own),
            sum(map(fill.is_public, own)),
            sum(map(fill.template_uses, own)),
            sum(number for _, number in numbers),
            sum(total for total, _ in numbers),
        )
    ]


def _given(factor: int, values: Values) -> list[tuple[object, ...]]:
    given = [
        rating
        for n in live(factor)
        for user, rating in fill.ratings(n, factor).items()
        if fill.user_id(user) == values["user_id"]
        and (fill.is_public(n) or fill.owner_of(n, factor) == user)
    ]
    return [(len(given), sum(given))]


def _statistics(factor: int, values: Values) -> list[tuple[object, ...]]:
    live = seen(factor, values)
    in_trash = [
        n
        for n in range(fill.n_templates(factor))
        if fill.template_deleted_at(n) is not None
        and fill.user_deleted_at(fill.owner_of(n, factor)) is None
        and ("actor_id" not in values or is_owner(n, factor, values))
    ]
    numbers = [fill.rating_numbers(n, factor) for n in live]
    return [
        (
            len(live),
            sum(map(fill.is_public, live)),
            sum(not fill.is_public(n) for n in live),
            len(in_trash),
            sum(len(fill.template_versions(n)) for n in live),
            len({fill.template_texts(n)[2] for n in live} - {None}),
            len({tag for n in live for tag in fill.template_tags(n, factor)}),
            sum(number for _, number in numbers),
            sum(total for total, _ in numbers),
            sum(map(fill.template_uses, live)),
            sum(not fill.template_uses(n) for n in live),
        )
    ]


def _number(values: Values) -> int:
    """The number of the template that is asked about."""
    return next(
        n for n in range(fill.n_templates(10)) if fill.template_id(n) == values["template_id"]
    )


def _distribution(factor: int, values: Values) -> list[tuple[object, ...]]:
    given = fill.ratings(_number(values), factor)
    counts = Counter(r for user, r in given.items() if fill.user_deleted_at(user) is None)
    return [tuple(counts[rating] for rating in range(1, 6))]


def _version_before(factor: int, values: Values) -> list[tuple[object, ...]]:
    before = values["before_version"]
    assert isinstance(before, int)
    versions = fill.template_versions(_number(values))
    return [(max(version for version in versions if version < before),)]


def _labelled(factor: int, values: Values) -> list[tuple[object, ...]]:
    n = _number(values)
    version = fill.template_labels(n).get(str(values["label"]), fill.head_version(n))
    return [(values["template_id"], version)]


def _middle(statement: Statement, names: set[str], factor: int) -> Values:
    table = statement.name.partition("/")[0]
    if "before_version" in names:
        return {"before_version": 3}
    if "before_deleted_at" in names:
        return _trash_cursor(160 * factor + 50)
    if "before_at" not in names:
        return {}
    if table == "template_label_moves":
        return _move_cursor(15)
    if table == "template_ratings":
        return _rating_cursor(15, factor)
    return _template_cursor(250 * factor // 20 * 20 + 10)


def _new(values: Values) -> Values:
    """Nobody has used or rated it."""
    named = same("owner_id", id="template_id", head_version="version", updated_at="now")(values)
    counters = ("use_count", "trend", "rating_sum", "rating_count")
    return {**named, **dict.fromkeys(counters, 0), "deleted_at": None}


def _opinions_left(values: Values) -> Values:
    """Which ratings of a user are there still, when the first ones were removed."""
    rated = [n for n in range(fill.n_templates(1)) if user_number(values) in fill.ratings(n, 1)]
    left = rated[cast(int, values["limit_rows"]) :]
    lowest = fill.template_id(left[0]).bytes if left else None
    return {"n": len(left), "lowest": lowest}


def _public_of_owner(factor: int, values: Values) -> list[tuple[object, ...]]:
    own = [
        n
        for n in live(factor)
        if fill.is_public(n) and fill.user_id(fill.owner_of(n, factor)) == values["owner_id"]
    ]
    own.sort(key=lambda n: (fill.template_created_at(n), fill.template_id(n)))
    return [(fill.template_id(n),) for n in own[:LIMIT]]


_GIVEN: Final = {
    "template_ids": [fill.template_id(PRIVATE)],
    "owner_id": fill.user_id(STRANGER),
}


def _row(n: int) -> str:
    return f"SELECT * FROM templates WHERE id = X'{fill.template_id(n).hex}'"


AGGREGATE: Final = Aggregate(
    tables=(
        "templates",
        "template_labels",
        "template_label_moves",
        "template_ratings",
        "template_tags",
        "template_versions",
        "template_postings",
    ),
    values={
        "author_name": ("Ada", NEVER_MISSES),
        "before_version": (2**32 - 1, 1),
        "category_id": (fill.category_id(1), NEVER_MISSES),
        "content": ("Review {{sql}}", NEVER_MISSES),
        "count_change": (1, NEVER_MISSES),
        "created_by": (fill.user_id(OWNER), NEVER_MISSES),
        "deleted_before": (END_OF_TIME, BEFORE_ALL),
        "description": ("What it is for", NEVER_MISSES),
        "feedback": ("A good one", NEVER_MISSES),
        "forked_from_id": (fill.template_id(PUBLIC), NEVER_MISSES),
        "forked_from_version": (1, NEVER_MISSES),
        "from_version": (1, NEVER_MISSES),
        "head_chars": (10, NEVER_MISSES),
        "into_category_id": (fill.category_id(fill.EMPTY_CATEGORY), NEVER_MISSES),
        "impact": (1_000, NEVER_MISSES),
        "label": ("production", "no-such-label"),
        "last_version": (fill.last_version(PRIVATE), NEVER_MISSES),
        "message": (None, NEVER_MISSES),
        "move_id": (fill.label_moves_id(FRESH, 0), NEVER_MISSES),
        "moved_at": (NOW, NEVER_MISSES),
        "moved_by": (fill.user_id(ADMIN), NEVER_MISSES),
        "name": ("A template", NEVER_MISSES),
        "or_newest": (False, NEVER_MISSES),
        "old_owner_id": (fill.user_id(OWNER), NOBODY),
        "owner_id": (fill.user_id(OWNER), NOBODY),
        "rating": (4, NEVER_MISSES),
        "rating_change": (4, NEVER_MISSES),
        "slugs": (["category-1", "category-2"], ["no-such-category"]),
        "system_prompt": (None, NEVER_MISSES),
        "tag_id": (fill.tag_id(FRESH), NEVER_MISSES),
        "template_id": (fill.template_id(PRIVATE), NOBODY),
        "template_ids": ([fill.template_id(n) for n in TRASH], [NOBODY]),
        "scope": (fill.user_id(OWNER), NEVER_MISSES),
        "term": (2**63 - 1, NEVER_MISSES),
        "to_version": (None, NEVER_MISSES),
        "user_id": (fill.user_id(OWNER), NOBODY),
        "variables": ([{"name": "sql", "default": None}], NEVER_MISSES),
        "version": (fill.head_version(PRIVATE), 99),
        "visibility": ("public", NEVER_MISSES),
    },
    cases={
        "template_label_moves/list_by_template": _READ,
        "template_labels/insert_many": ({"label": "a-new-label"},),
        "template_labels/list_by_template": _READ,
        "template_labels/list_own": (_LIVE_ONES,),
        "template_postings/update_scope": (_GIVEN,),
        "template_ratings/find_distribution": _READ,
        "template_ratings/find_own": (
            {},
            {"template_id": fill.template_id(PUBLIC)},
            {"template_id": fill.template_id(RATED)},
        ),
        "template_ratings/insert": ({"user_id": fill.user_id(STRANGER)},),
        "template_ratings/list_by_template": _READ,
        "template_tags/insert_many": ({"tag_id": fill.tag_id(5)},),
        "template_versions/find_labelled": (*_READ, *_OR_NEWEST),
        "template_versions/get": _READ,
        "template_versions/insert_many": ({"version": fill.head_version(PRIVATE) + 1},),
        "template_versions/list_own_history": (_LIVE_ONES,),
        "template_versions/list_by_template": _READ,
        "templates/add_ratings": ({}, {"user_id": fill.user_id(DELETED_USER)}),
        "templates/exists": _READ,
        "templates/get": _READ,
        "templates/get_own_including_deleted": ({}, IN_TRASH),
        "templates/insert": (_NEW_TEMPLATE,),
        "templates/insert_many": (_NEW_TEMPLATE,),
        "templates/list_hits": (
            {"template_ids": [fill.template_id(PRIVATE)]},
            _LIVE_ONES,
            {**_LIVE_ONES, "actor_id": None},
        ),
        "templates/lock_visible": _OF_SOMEBODY,
        "templates/purge": ({"template_id": fill.template_id(BARE_TRASH[0])},),
        "templates/purge_many": ({"template_ids": [fill.template_id(n) for n in BARE_TRASH]},),
        "templates/record_use": (*_READ, *_USES),
        "templates/restore": (IN_TRASH,),
        "templates/update_head": ({"version": fill.last_version(PRIVATE) + 1},),
        "templates/update_head_back": ({"version": 1},),
        "templates/update_owner": (_GIVEN,),
        "template_ratings/delete_by_user": ({}, {"limit_rows": 3}),
        "templates/soft_delete_many": ({"template_ids": [fill.template_id(PRIVATE)]},),
        "templates/update_rating": ({}, {"rating_change": -1, "count_change": -1}),
    },
    passed_by={
        "template_ratings/find_distribution": _OF_DELETED,
        "template_ratings/find_own": {
            "a rating of who is deleted": {
                "template_id": fill.template_id(PUBLIC),
                "actor_id": fill.user_id(DELETED_USER),
            },
            "a template of who is deleted": {
                "template_id": fill.template_id(ORPHAN),
                "actor_id": fill.user_id(_live_rater(ORPHAN)),
            },
            "a private template of somebody else": actor(_live_rater(PRIVATE)),
        },
        "template_ratings/list_by_template": _OF_DELETED,
        "template_versions/find_labelled": {
            "a label that is not there": {"label": "no-such-label"},
        },
        "templates/update_head": {
            "the number of a version that was deleted": {"version": fill.last_version(PRIVATE)},
        },
        "templates/list_purgeable": {
            "the time at which the first were deleted": {
                "deleted_before": fill.template_deleted_at(TRASH[0])
            },
        },
    },
    gives_without={
        ("templates/get_visible_statistics", "actor_id"): "what is public",
        ("templates/lock_parents", "slugs"): "the owner, without a category",
        ("templates/list_trash", "before_at"): "it breaks ties of deleted_at",
    },
    numbers={
        "template_ratings/find_distribution": _distribution,
        "template_versions/find_before": _version_before,
        "template_versions/find_labelled": _labelled,
        "templates/lock_public_of_owner": _public_of_owner,
        "templates/count_all": lambda factor, _: [(len(live(factor)),)],
        "templates/count_public": lambda factor, _: [(sum(map(fill.is_public, live(factor))),)],
        "templates/get_numbers_of_owner": _numbers_of_owner,
        "template_ratings/get_given": _given,
        "templates/get_statistics": _statistics,
        "templates/get_visible_statistics": _statistics,
    },
    rows={
        "template_labels": "SELECT * FROM template_labels"
        " WHERE template_id = :template_id AND label = :label",
        "template_ratings": "SELECT * FROM template_ratings"
        " WHERE template_id = :template_id AND user_id = :actor_id",
        "template_postings/update_scope": "SELECT COUNT(*) AS n FROM template_postings"
        f" WHERE template_id = X'{fill.template_id(PRIVATE).hex}' AND scope <> :owner_id",
        "templates": "SELECT * FROM templates WHERE id = :template_id",
        "templates/add_ratings": _row(_RATED),
        "templates/subtract_ratings": _row(_RATED),
        "templates/update_category": _row(_FILED),
        "template_ratings/delete_by_user": "SELECT COUNT(*) AS n, MIN(template_id) AS lowest"
        " FROM template_ratings WHERE user_id = :user_id",
        "templates/soft_delete_many": _row(PRIVATE),
        "templates/update_owner": _row(PRIVATE),
    },
    written={
        "template_labels/update_version": same(),
        "template_postings/update_scope": lambda values: {"n": 0},
        "template_ratings/delete_by_user": _opinions_left,
        "template_ratings/update_own": same(updated_at="now"),
        "templates/add_ratings": _of_rater(1),
        "templates/insert": _new,
        "templates/insert_many": _new,
        "templates/record_use": _used,
        "templates/restore": restored_at_now,
        "templates/soft_delete": same(deleted_at="now", updated_at="now"),
        "templates/subtract_ratings": _of_rater(-1),
        "templates/update_category": same(category_id="into_category_id"),
        "templates/update_details": same(updated_at="now"),
        "templates/update_head": same(
            head_version="version", last_version="version", updated_at="now"
        ),
        "templates/update_head_back": same(head_version="version", updated_at="now"),
        "templates/soft_delete_many": same(deleted_at="now"),
        "templates/update_owner": same("owner_id", updated_at="now"),
        "templates/update_rating": _rated,
    },
    middle=_middle,
    hide=("UPDATE templates SET visibility = 'private' WHERE visibility = 'public'",),
    forget=(
        "DELETE t FROM templates AS t INNER JOIN users AS u ON t.owner_id = u.id"
        " WHERE u.deleted_at IS NOT NULL",
        "DELETE FROM templates WHERE deleted_at IS NOT NULL",
        *(
            f"DELETE l FROM {table} AS l LEFT JOIN templates AS t ON l.template_id = t.id"
            " WHERE t.id IS NULL"
            for table in (
                "template_versions",
                "template_tags",
                "template_labels",
                "template_label_moves",
                "template_ratings",
                "template_postings",
            )
        ),
        "DELETE r FROM template_ratings AS r INNER JOIN users AS u ON r.user_id = u.id"
        " WHERE u.deleted_at IS NOT NULL",
    ),
    shared={
        "template_id": (
            {"template_id": fill.template_id(PRIVATE)},
            {"template_id": fill.template_id(PUBLIC), "version": 1},
        )
    },
    also_chooses=frozenset({("templates/update_head", "version")}),
)
