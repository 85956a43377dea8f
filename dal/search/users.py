"""The list of live users and the search over them, for admins and the system.

A text is looked for in name and address, at their start or anywhere in them. What is one search to
the caller may be several statements: the name and the address have an index each, and an OR across
both would use none. No index finds a text inside another, so that search looks at a window of the
newest users, then at the next.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from itertools import product
from typing import Any, Final
from uuid import UUID

import attrs
from pypika import MySQLQuery, Order, Table
from pypika.terms import Criterion

from dal.errors import UsageError, ValueRejectedError
from dal.records.actor import Role
from dal.records.clock import END_OF_TIME, START_OF_TIME
from dal.records.ids import MAX_ID
from dal.records.page import Key
from dal.records.text import free_text
from dal.records.users import User, checked_role
from dal.search.binder import Binder, columns_of, escape_like
from dal.statements import Dynamic

__all__ = [
    "WINDOW_ROWS",
    "Match",
    "UserArm",
    "UserSearch",
    "every_user_shape",
    "first_key",
    "user_search",
]

WINDOW_ROWS = 5_000
"""How many users one statement of a substring search looks at."""

_MAX_TEXT_CHARS: Final = 100
# Each letter of a pattern may be escaped. NFC makes three letters of one at most.
_NAME_PATTERN: Final = "VARCHAR(202)"
_EMAIL_PREFIX: Final = "VARCHAR(300)"
_EMAIL_PATTERN: Final = "VARCHAR(602)"
_MAX_EMAIL_CHARS: Final = 254
_LAST_CHARACTER: Final = "\U0010ffff"


class Match(StrEnum):
    """Where the text stands."""

    PREFIX = "prefix"
    SUBSTRING = "substring"


class UserArm(StrEnum):
    """One statement of a search."""

    ALL = "all"
    NAME = "name"
    EMAIL = "email"
    WINDOW = "window"


def first_key(arm: UserArm) -> Key:
    """Where the first page of this arm starts."""
    if arm is UserArm.NAME:
        return ("", UUID(int=0))
    if arm is UserArm.EMAIL:
        return ("",)
    return (END_OF_TIME, MAX_ID)


def _text(value: object) -> str | None:
    if value is None:
        return None
    # What is around it does not count as too long.
    return free_text("text", free_text("text", value).strip(), max_chars=_MAX_TEXT_CHARS) or None


def _match(value: object) -> Match:
    try:
        return Match(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError(f"match: one of {', '.join(Match)}", field="match") from None


def _is_active(value: object) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ValueRejectedError("is_active: True, False or None", field="is_active")
    return value


@attrs.frozen(slots=True, kw_only=True)
class UserSearch:
    """Which users are asked for, checked when it is made. Nothing given means no filter.

    Raises:
        ValueRejectedError: not text or over 100 characters, no such choice, or no such role;
            ``field`` names it.
    """

    text: str | None = attrs.field(default=None, converter=_text)
    match: Match = attrs.field(default=Match.PREFIX, converter=_match)
    role: Role | None = attrs.field(default=None, converter=attrs.converters.optional(checked_role))
    is_active: bool | None = attrs.field(default=None, converter=_is_active)

    @property
    def arms(self) -> tuple[UserArm, ...]:
        """The statements that it is made of, in the order in which their rows are given."""
        if self.text is None:
            return (UserArm.ALL,)
        if self.match is Match.PREFIX:
            return (UserArm.NAME, UserArm.EMAIL)
        return (UserArm.WINDOW,)

    @property
    def list_name(self) -> str:
        """What its cursors belong to: another search is another list."""
        filters = json.dumps([self.text, self.role, self.is_active])
        return f"users.search:{self.match}:{filters}"


def _as_in_addresses(text: str) -> str:
    """A part of an address in the form in which ``normalize_email`` has it stored."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def _end_of(prefix: str) -> str:
    """The first text behind all addresses that start with ``prefix``, by code points."""
    kept = prefix.rstrip(_LAST_CHARACTER)
    if not kept:
        return _LAST_CHARACTER * _MAX_EMAIL_CHARS
    following = ord(kept[-1]) + 1
    # Surrogates are no characters.
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)


def _later(t: Table, binder: Binder, after: Key) -> Criterion:
    """What follows ``after`` from the newest to the oldest."""
    at = binder.bind("after_at", "DATETIME(6)", after[0], "created_at of the last row before")
    last = binder.bind("after_id", "BINARY(16)", after[1], "its id, to break ties")
    return (t.created_at < at) | ((t.created_at == at) & (t.id < last))


def _by_name(t: Table, binder: Binder, text: str, after: Key) -> tuple[Criterion, ...]:
    name = binder.bind("name_prefix", _NAME_PATTERN, f"{escape_like(text)}%", "how the name starts")
    at = binder.bind("after_name", "VARCHAR(100)", after[0], "full_name of the last row before")
    last = binder.bind("after_id", "BINARY(16)", after[1], "its id, to break ties")
    beyond = (t.full_name > at) | ((t.full_name == at) & (t.id > last))
    return t.full_name.like(name), beyond


def _by_email(t: Table, binder: Binder, text: str, after: Key) -> tuple[Criterion, ...]:
    name = binder.bind("name_prefix", _NAME_PATTERN, f"{escape_like(text)}%", "how the name starts")
    prefix = _as_in_addresses(text)
    start = binder.bind("email_prefix", _EMAIL_PREFIX, prefix, "how the address starts")
    end = binder.bind("email_end", _EMAIL_PREFIX, _end_of(prefix), "what no longer starts so")
    last = binder.bind("after_email", "VARCHAR(254)", after[0], "email of the last row before")
    return (
        # Not LIKE: of a key in utf8mb4_bin both servers read but up to U+FFFF behind the prefix,
        # and lose the addresses that go on with a character of four bytes.
        t.email_live >= start,
        t.email_live < end,
        # Whose name starts so too was given with the names.
        t.full_name.not_like(name),
        t.email_live > last,
    )


def _in_window(
    t: Table, binder: Binder, text: str, after: Key, until: Key
) -> tuple[Criterion, ...]:
    name = binder.bind("pattern", _NAME_PATTERN, f"%{escape_like(text)}%", "a part of the name")
    email = binder.bind(
        "email_pattern",
        _EMAIL_PATTERN,
        f"%{escape_like(_as_in_addresses(text))}%",
        "a part of the address",
    )
    at = binder.bind("window_at", "DATETIME(6)", until[0], "created_at of the window's last row")
    last = binder.bind("window_id", "BINARY(16)", until[1], "its id, which is still looked at")
    within = (t.created_at > at) | ((t.created_at == at) & (t.id >= last))
    return t.full_name.like(name) | t.email_live.like(email), _later(t, binder, after), within


def _conditions(
    search: UserSearch, arm: UserArm, t: Table, binder: Binder, after: Key, until: Key | None
) -> tuple[Criterion, ...]:
    text = search.text
    if text is None:
        return (_later(t, binder, after),)
    if arm is UserArm.NAME:
        return _by_name(t, binder, text, after)
    if arm is UserArm.EMAIL:
        return _by_email(t, binder, text, after)
    if until is None:
        raise UsageError("until: a window has an end")
    return _in_window(t, binder, text, after, until)


def _key(search: UserSearch, arm: UserArm) -> str:
    """The one key that is the way in: left alone, the servers sort, or read from the wrong end."""
    if arm is UserArm.NAME:
        return "ix_users_name"
    if arm is UserArm.EMAIL:
        return "uq_users_email_live"
    if arm is UserArm.ALL and search.role is not None:
        return "ix_users_role"
    if arm is UserArm.ALL and search.is_active is not None:
        return "ix_users_activity"
    return "ix_users_created"


def user_search(
    search: UserSearch, arm: UserArm, *, after: Key, limit_rows: int, until: Key | None = None
) -> Dynamic[User]:
    """One statement of a search: an arm of ``search.arms``.

    Args:
        after: where the page before ended: ``first_key(arm)``, else of its last row created_at and
            id (ALL, WINDOW), full_name and id (NAME) or email (EMAIL).
        until: created_at and id of the last row of the window; WINDOW needs it, no other takes it.

    Raises:
        UsageError: the search has no such arm, or ``until`` is not where it belongs.
    """
    if arm not in search.arms:
        raise UsageError(f"this search has no arm {arm}")
    if until is not None and arm is not UserArm.WINDOW:
        raise UsageError("until: for a window, and for nothing else")
    binder = Binder()
    t = Table("users").as_("u")
    query: Any = MySQLQuery.from_(t).where(t.deleted_at.isnull())
    for criterion in _conditions(search, arm, t, binder, after, until):
        query = query.where(criterion)
    if search.role is not None:
        role = binder.bind("role", "VARCHAR(6)", search.role, "admin, user or viewer")
        query = query.where(t.role == role)
    if search.is_active is not None:
        active = binder.bind(
            "is_active", "BOOLEAN", search.is_active, "whether the user may log in"
        )
        query = query.where(t.is_active == active)
    query = query.select(*columns_of(User, t))
    if arm is UserArm.NAME:
        query = query.orderby(t.full_name, order=Order.asc).orderby(t.id, order=Order.asc)
    elif arm is UserArm.EMAIL:
        query = query.orderby(t.email_live, order=Order.asc)
    else:
        query = query.orderby(t.created_at, order=Order.desc).orderby(t.id, order=Order.desc)
    query = query.limit(binder.bind("limit_rows", "INT", limit_rows, "the most rows to give"))
    key = _key(search, arm)
    header = {
        "summary": _SUMMARIES[arm],
        "access": "system",
        "deleted": "excluded",
        "index": key,
        "reads": _reads(search, arm),
    }
    return binder.finish(f"search/users_{arm}", query.force_index(key), User, header)


_SUMMARIES: Final = {
    UserArm.ALL: "List users, newest first.",
    UserArm.NAME: "Search users by the start of the name.",
    UserArm.EMAIL: "Search users by the start of the address, but for those found by name.",
    UserArm.WINDOW: "Search some users for a part of the name or address, newest first.",
}


def _reads(search: UserSearch, arm: UserArm) -> str:
    if arm is UserArm.WINDOW:
        return f"n/a: at most the {WINDOW_ROWS} rows of the window"
    if arm is UserArm.EMAIL:
        return "n/a: those found by name are passed over"
    n_filters = (search.role is not None) + (search.is_active is not None)
    # Of a list without a text, the first filter is in the key.
    if n_filters > (arm is UserArm.ALL):
        return "n/a: filters pass over rows"
    # Behind a filter of the key stand others: each of two ranges ends with one.
    return "rows + 2" if n_filters else "rows + 1"


def every_user_shape(text: str) -> Iterator[tuple[str, Dynamic[User]]]:
    """Each statement that a search can become, with these values, and what makes it differ.

    The review checks them like files: each arm, with and without each of the filters.
    """
    for arm, with_role, with_activity in product(UserArm, (False, True), (False, True)):
        search = UserSearch(
            text=None if arm is UserArm.ALL else text,
            match=Match.SUBSTRING if arm is UserArm.WINDOW else Match.PREFIX,
            role=Role.USER if with_role else None,
            is_active=True if with_activity else None,
        )
        yield (
            f"{arm}{' role' * with_role}{' activity' * with_activity}",
            user_search(
                search,
                arm,
                after=first_key(arm),
                limit_rows=21,
                until=(START_OF_TIME, UUID(int=0)) if arm is UserArm.WINDOW else None,
            ),
        )
