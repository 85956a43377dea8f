"""What a statement changes: these columns of this row, to these values, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from dal.statements import Handle, Statement
from dal.testing import fill
from tests.sql.values import Values, hits, raw
from tests.sql.worlds import World

# The row that a statement is about.
_ROW: Final[Mapping[str, str]] = {
    "templates": "SELECT * FROM templates WHERE id = :template_id",
    "user_tokens": "SELECT * FROM user_tokens WHERE user_id = :user_id AND purpose = :purpose",
    "users": "SELECT * FROM users WHERE id = :user_id",
}
# Made by the server of the other columns.
_GENERATED: Final = frozenset({"email_live"})


def _same(*columns: str, **others: str) -> Callable[[Values], Values]:
    """Columns that take the parameter of their name, and others with the name of theirs."""
    named = {**{column: column for column in columns}, **others}
    return lambda values: {column: values[name] for column, name in named.items()}


def _numbered(values: Values) -> int:
    return next(n for n in range(fill.n_users(10)) if fill.user_id(n) == values["user_id"])


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
    "templates/restore": _restored,
    "templates/soft_delete": _same(deleted_at="now", updated_at="now"),
    "templates/update_details": _same(
        "category_id", "name", "description", "author_name", "visibility", updated_at="now"
    ),
    "templates/update_head": _same(head_version="version", updated_at="now"),
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
    sql = _ROW[statement.name.partition("/")[0]]
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
            if name == "preferences" and isinstance(said, str) and isinstance(found, str):
                said, found = json.loads(said), json.loads(found)
            if said != found:
                faults.append(f"{name} is {found!r}, and should be {said!r}")
    return faults
