"""What statements of an aggregate are checked with: the shape of its table, and what all share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import attrs

from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID
from dal.statements import Statement
from tests import fill
from tests.fill import NOBODY, NOW, OWNER, START

Values = dict[str, object]
Numbers = Callable[[int, Values], list[tuple[object, ...]]]

FRESH: Final = 10**6
"""Number of a row that is not there yet."""
LIMIT: Final = 20
BEFORE_ALL: Final = START - timedelta(days=1)
NEVER_MISSES: Final = object()
"""For what is only written or computed with: it selects nothing."""
BY_SYSTEM: Final[Values] = {"actor_id": None, "actor_is_system": True}


def _top(statement: Statement, names: set[str], factor: int) -> Values:
    return {}


@attrs.frozen(kw_only=True)
class Aggregate:
    """The tables of an aggregate, and what its statements are asked with.

    ``values``: parameter -> what hits, what misses: a name means one thing in the whole tree.
    ``cases``: statement -> other values that it needs to do its work: a row that is not there yet.
    ``passed_by``: statement -> which rows it must not find although all that it is given is there.
    ``gives_without``: statement and parameter -> why it gives something even where that misses.
    ``also_chooses``: parameters that choose rows although they are written too.
    ``middle``: where a page starts in the middle, at a row that ties with the next one.
    ``numbers``: statement -> the first columns of each row it gives, found here without SQL.
    ``rows``: table or statement -> the row that a statement changes; ``written``: what it makes of
    its columns. ``hide``: makes private all that is public. ``forget``: as if what is deleted had
    never been. ``shared``: parameter -> what the actor alone sees, and what everybody sees.
    """

    tables: tuple[str, ...]
    values: Mapping[str, tuple[object, object]] = attrs.field(factory=dict)
    cases: Mapping[str, tuple[Values, ...]] = attrs.field(factory=dict)
    passed_by: Mapping[str, Mapping[str, Values]] = attrs.field(factory=dict)
    gives_without: Mapping[tuple[str, str], str] = attrs.field(factory=dict)
    also_chooses: frozenset[tuple[str, str]] = frozenset()
    middle: Callable[[Statement, set[str], int], Values] = _top
    numbers: Mapping[str, Numbers] = attrs.field(factory=dict)
    rows: Mapping[str, str] = attrs.field(factory=dict)
    written: Mapping[str, Callable[[Values], Values]] = attrs.field(factory=dict)
    hide: tuple[str, ...] = ()
    forget: tuple[str, ...] = ()
    shared: Mapping[str, tuple[Values, Values]] = attrs.field(factory=dict)


def same(*columns: str, **others: str) -> Callable[[Values], Values]:
    """Columns that take the parameter of their name, and others with the name of theirs."""
    named = {**{column: column for column in columns}, **others}
    return lambda values: {column: values[name] for column, name in named.items()}


TRASH: Final = (40, 50, 120)
# Users: what each number is like stands in fill.
DELETED_USER: Final = 3
ADMIN: Final = 4
IN_TRASH: Final[Values] = {"template_id": fill.template_id(TRASH[0])}


def actor(n: int) -> Values:
    return {"actor_id": fill.user_id(n)}


def user_number(values: Values) -> int:
    return next(n for n in range(fill.n_users(10)) if fill.user_id(n) == values["user_id"])


def restored_at_now(values: Values) -> Values:
    return {"deleted_at": None, "updated_at": values["now"]}


def live(factor: int) -> list[int]:
    return [
        n
        for n in range(fill.n_templates(factor))
        if fill.template_deleted_at(n) is None
        and fill.user_deleted_at(fill.owner_of(n, factor)) is None
    ]


def seen(factor: int, values: Values) -> list[int]:
    """Of the live ones those that the actor may see, where somebody asks."""
    all_live = live(factor)
    if "actor_id" not in values:
        return all_live
    return [n for n in all_live if fill.is_public(n) or is_owner(n, factor, values)]


def is_owner(n: int, factor: int, values: Values) -> bool:
    return fill.user_id(fill.owner_of(n, factor)) == values["actor_id"]


# What every statement may ask for.
COMMON: Final = Aggregate(
    tables=(),
    values={
        "actor_id": (fill.user_id(OWNER), NOBODY),
        "actor_is_system": (False, NEVER_MISSES),
        "before_at": (END_OF_TIME, BEFORE_ALL),
        "before_deleted_at": (END_OF_TIME, BEFORE_ALL),
        "before_id": (MAX_ID, NEVER_MISSES),
        "content_sha256": (bytes(32), NEVER_MISSES),
        "created_at": (START, NEVER_MISSES),
        "limit_rows": (LIMIT, NEVER_MISSES),
        "now": (NOW, NEVER_MISSES),
    },
)
