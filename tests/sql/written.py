"""What a statement changes: these columns of this row, to these values, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import log2
from typing import Final

from dal.statements import Handle, Statement
from dal.testing import fill
from tests.sql.values import PRIVATE, Values, hits, raw
from tests.sql.worlds import World

# The row that a statement is about.
_ROW: Final[Mapping[str, str]] = {
    "categories": "SELECT * FROM categories WHERE id = :category_id",
    "search_corpora": "SELECT * FROM search_corpora WHERE corpus = :corpus",
    "template_labels": "SELECT * FROM template_labels"
    " WHERE template_id = :template_id AND label = :label",
    "template_ratings": "SELECT * FROM template_ratings"
    " WHERE template_id = :template_id AND user_id = :actor_id",
    "templates": "SELECT * FROM templates WHERE id = :template_id",
    "templates_search": "SELECT * FROM templates_search WHERE template_id = :template_id",
    "user_tokens": "SELECT * FROM user_tokens WHERE user_id = :user_id AND purpose = :purpose",
    "users": "SELECT * FROM users WHERE id = :user_id",
}
# One of those that a statement is about.
_RATED: Final = PRIVATE
_FILED: Final = next(n for n in range(20) if fill.template_category(n) == 1)
_ONE_ROW: Final[Mapping[str, str]] = {
    name: f"SELECT * FROM templates WHERE id = X'{fill.template_id(n).hex}'"
    for name, n in (
        ("templates/add_ratings", _RATED),
        ("templates/subtract_ratings", _RATED),
        ("templates/update_category", _FILED),
    )
}
# Made by the server of the other columns.
_GENERATED: Final = frozenset({"email_live", "rating_rank"})
# Two texts of it may be the same.
_DOCUMENTS: Final = frozenset({"preferences"})
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
_WEEK_S: Final = 7 * 86_400


def _same(*columns: str, **others: str) -> Callable[[Values], Values]:
    """Columns that take the parameter of their name, and others with the name of theirs."""
    named = {**{column: column for column in columns}, **others}
    return lambda values: {column: values[name] for column, name in named.items()}


def _numbered(values: Values) -> int:
    return next(n for n in range(fill.n_users(10)) if fill.user_id(n) == values["user_id"])


def _template(values: Values) -> int:
    return next(
        n for n in range(fill.n_templates(10)) if fill.template_id(n) == values["template_id"]
    )


def _used(values: Values) -> Values:
    """A use more; the trend is what :class:`~dal.records.templates.TemplateSummary` says."""
    n, now = _template(values), values["now"]
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
    total, number = fill.rating_numbers(_template(values), 1)
    by, more = values["rating_change"], values["count_change"]
    assert isinstance(by, int)
    assert isinstance(more, int)
    return {"rating_sum": total + by, "rating_count": number + more}


def _of_rater(sign: int) -> Callable[[Values], Values]:
    """The numbers of a template with and without the rating of a user."""

    def numbers(values: Values) -> Values:
        total, number = fill.rating_numbers(_RATED, 1)
        rating = fill.ratings(_RATED, 1)[_numbered(values)]
        return {"rating_sum": total + sign * rating, "rating_count": number + sign}

    return numbers


def _failure(values: Values) -> Values:
    n, most = _numbered(values), values["max_failures"]
    assert isinstance(most, int)
    # A lock that is over has forgotten them.
    failures = 1 if fill.user_locked_until(n) else fill.user_failed_logins(n) + 1
    return {
        "failed_logins": failures,
        "locked_until": values["lock_until"] if failures >= most else None,
    }


def _login_at(values: Values) -> datetime:
    """Never back: not before the log-in before, nor before the credentials were changed."""
    n, now = _numbered(values), values["now"]
    assert isinstance(now, datetime)
    return max(now, fill.user_created_at(n), fill.user_last_login_at(n) or now)


_UNLOCKED: Final[Values] = {"failed_logins": 0, "locked_until": None}
_CHANGED: Final = _same(updated_at="changed_at")
_CREDENTIALS: Final = _same(updated_at="changed_at", credentials_changed_at="changed_at")


def _restored(values: Values) -> Values:
    return {"deleted_at": None, "updated_at": values["now"]}


# Statement -> columns of the row and what they are then; every UPDATE is here.
WRITTEN: Final[Mapping[str, Callable[[Values], Values]]] = {
    "categories/update_name": _same("slug", name="category_name", updated_at="now"),
    "search_corpora/upsert": _same("corpus", "documents", terms="corpus_terms", updated_at="now"),
    "template_labels/update_version": _same("version", "moved_by", "moved_at"),
    "template_ratings/update_own": _same("rating", "feedback", updated_at="now"),
    "templates/add_ratings": _of_rater(1),
    "templates/record_use_any": _used,
    "templates/record_use_visible": _used,
    "templates/restore": _restored,
    "templates/soft_delete": _same(deleted_at="now", updated_at="now"),
    "templates/subtract_ratings": _of_rater(-1),
    "templates/update_category": _same(category_id="into_category_id"),
    "templates/update_details": _same(
        "category_id", "name", "description", "author_name", "visibility", updated_at="now"
    ),
    "templates/update_head": _same(
        head_version="version", last_version="version", updated_at="now"
    ),
    "templates/update_head_back": _same(head_version="version", updated_at="now"),
    "templates/update_rating": _rated,
    "templates_search/upsert": _same(
        "template_id", "is_public", "terms", "tokens", updated_at="now"
    ),
    "user_tokens/upsert": _same("user_id", "purpose", "token_hash", "expires_at", created_at="now"),
    "users/insert": lambda v: {
        **_same("email", "full_name", "role", "password_hash", id="user_id")(v),
        **_same(credentials_changed_at="now", created_at="now", updated_at="now")(v),
        **_UNLOCKED,
        "is_active": True,
        "email_verified_at": None,
        "last_login_at": None,
        "preferences": {},
        "deleted_at": None,
    },
    "users/record_failure": _failure,
    "users/record_login": lambda v: {
        "password_hash": v["password_hash"] or fill.user_password_hash(_numbered(v)),
        **_UNLOCKED,
        "last_login_at": _login_at(v),
    },
    "users/restore": _restored,
    "users/soft_delete": _same(deleted_at="now", updated_at="now"),
    "users/unlock": lambda v: {**_CHANGED(v), **_UNLOCKED},
    "users/update_activity": lambda v: {**_same("is_active")(v), **_CREDENTIALS(v)},
    "users/update_details": lambda v: {
        **_same("email", "full_name", "email_verified_at")(v),
        **_CHANGED(v),
    },
    "users/update_email_verified": lambda v: {**_same("email_verified_at")(v), **_CHANGED(v)},
    "users/update_password": lambda v: {
        **_same("password_hash")(v),
        **_CREDENTIALS(v),
        **_UNLOCKED,
    },
    "users/update_preferences": _same("preferences"),
    "users/update_role": lambda v: {**_same("role")(v), **_CREDENTIALS(v)},
}


def is_update(statement: Statement) -> bool:
    """Whether the statement changes rows that are there."""
    return statement.sql.startswith("UPDATE") or "ON DUPLICATE KEY UPDATE" in statement.sql


async def _row(world: World, statement: Statement, values: Values) -> Values:
    """The columns of the row, by name; none where there is no row."""
    sql = _ONE_ROW.get(statement.name) or _ROW[statement.name.partition("/")[0]]
    for param in statement.params:
        sql = sql.replace(f":{param.name}", param.type.literal(values[param.name], param.name))
    answer = await world.run(sql)
    if not answer.rows:
        return {}
    columns = dict(zip(answer.columns, answer.rows[0], strict=True))
    return {name: value for name, value in columns.items() if name not in _GENERATED}


async def check_written(world: World, handle: Handle) -> list[str]:
    """The columns that are said, and no others, are what they are to be."""
    statement, expected = handle.statement, WRITTEN.get(handle.name)
    if expected is None:
        return ["nobody says what it writes"] if is_update(statement) else []
    faults = []
    for values in hits(statement, world.factor):
        async with world.undone():
            before = await _row(world, statement, values)
            await world.run(statement.render(values).sql)
            after = await _row(world, statement, values)
        wanted = {**before, **{name: raw(value) for name, value in expected(values).items()}}
        for name in wanted.keys() | after.keys():
            said, found = wanted.get(name), after.get(name)
            if name in _DOCUMENTS and isinstance(said, str) and isinstance(found, str):
                said, found = json.loads(said), json.loads(found)
            if said != found:
                faults.append(f"{name} is {found!r}, and should be {said!r}")
    return faults
