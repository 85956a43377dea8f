"""The search over the audit log, for the system.

One key is the way in: that of the target, of the actor, of the security log, or of the time. Where
that says all, a page is read as it lies. Where other filters pass over entries, one statement looks
at a window of the newest ones that the key gives, and the next page at the next window: so a search
that finds nothing reads no more than one that finds much.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

import attrs
from pypika import MySQLQuery, Order, Table
from pypika.terms import Criterion

from dal.errors import ValueRejectedError
from dal.records.audit import AuditCategory, AuditEntry, AuditKey, AuditSeverity, Outcome
from dal.records.choice import choice
from dal.records.clock import END_OF_TIME, START_OF_TIME, check_time
from dal.records.ids import MAX_ID, check_id
from dal.records.page import Key
from dal.records.text import free_text
from dal.search.binder import Binder, ById, columns_of, escape_like
from dal.statements import Dynamic

__all__ = [
    "FIRST_KEY",
    "OLDEST_KEY",
    "WINDOW_ROWS",
    "AuditSearch",
    "WayIn",
    "audit_search",
    "audit_window_end",
    "every_audit_shape",
]

WINDOW_ROWS: Final = 5_000
"""How many entries one statement of a search with several filters looks at."""

FIRST_KEY: Final[Key] = (END_OF_TIME, MAX_ID)
"""Where the first page starts."""

OLDEST_KEY: Final[Key] = (START_OF_TIME, UUID(int=0))
"""Where it starts oldest first."""

_MAX_TEXT_CHARS: Final = 100
_MAX_ACTIONS: Final = 20
# JSON writes a character as six at most, and LIKE may escape each of them.
_PATTERN: Final = "VARCHAR(1202)"
_TEXT_COLUMNS: Final = ("action", "target_type", "actor_name", "request_id", "ip", "user_agent")
_MAX_CHARS: Final = {"target_type": 32, "ip": 45, "request_id": 64, "field": _MAX_TEXT_CHARS}

E = TypeVar("E", bound=StrEnum)


class WayIn(StrEnum):
    """The key that a search reads."""

    TARGET = "target"
    ACTOR = "actor"
    SECURITY = "security"
    OCCURRED = "occurred"


def _choice(field: str, kind: type[E], value: object) -> E | None:
    return None if value is None else choice(field, kind, value)


def _words(field: str, value: object) -> str | None:
    if value is None:
        return None
    said = free_text(field, value, max_chars=_MAX_CHARS[field])
    if not said:
        raise ValueRejectedError(f"{field}: must not be empty", field=field)
    return said


def _text(value: object) -> str | None:
    if value is None:
        return None
    # What is around it does not count as too long.
    return free_text("text", free_text("text", value).strip(), max_chars=_MAX_TEXT_CHARS) or None


def _actions(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
        raise ValueRejectedError("actions: a list of actions", field="actions")
    found = sorted({free_text("actions", action, max_chars=64) for action in value})
    if len(found) > _MAX_ACTIONS:
        raise ValueRejectedError(f"actions: at most {_MAX_ACTIONS}", field="actions")
    return tuple(found)


def _id(field: str, value: object) -> UUID | None:
    return None if value is None else check_id(field, value)


def _time(field: str, value: object) -> datetime:
    # Neither end, which no entry reaches, is a time that is stored.
    at_an_end = isinstance(value, datetime) and value in (START_OF_TIME, END_OF_TIME)
    return value if at_an_end else check_time(field, value)  # type: ignore[return-value]


@attrs.frozen(slots=True, kw_only=True)
class AuditSearch:
    """Which entries are asked for; made by :meth:`of`. Nothing given means no filter.

    ``text`` is looked for in the names, addresses and changes; ``field`` is a key of ``changes``,
    at any depth. Both as the server compares text: whatever case and accents are. ``severity`` is
    the least one. From ``from_at``, before ``until_at``.
    """

    text: str | None = None
    field: str | None = None
    actions: tuple[str, ...] = ()
    category: AuditCategory | None = None
    severity: AuditSeverity | None = None
    outcome: Outcome | None = None
    actor_id: UUID | None = None
    target_type: str | None = None
    target_id: UUID | None = None
    request_id: str | None = None
    ip: str | None = None
    from_at: datetime = START_OF_TIME
    until_at: datetime = END_OF_TIME

    @classmethod
    def of(
        cls,
        *,
        text: object = None,
        field: object = None,
        actions: object = (),
        category: object = None,
        severity: object = None,
        outcome: object = None,
        actor_id: object = None,
        target_type: object = None,
        target_id: object = None,
        request_id: object = None,
        ip: object = None,
        from_at: object = START_OF_TIME,
        until_at: object = END_OF_TIME,
    ) -> AuditSearch:
        """What a caller asks for, checked.

        Raises:
            ValueRejectedError: not what it should be, or too long; ``field`` names it.
        """
        search = cls(
            text=_text(text),
            field=_words("field", field),
            actions=_actions(actions),
            category=_choice("category", AuditCategory, category),
            severity=_choice("severity", AuditSeverity, severity),
            outcome=_choice("outcome", Outcome, outcome),
            actor_id=_id("actor_id", actor_id),
            target_type=_words("target_type", target_type),
            target_id=_id("target_id", target_id),
            request_id=_words("request_id", request_id),
            ip=_words("ip", ip),
            from_at=_time("from_at", from_at),
            until_at=_time("until_at", until_at),
        )
        if search.target_id is not None and search.target_type is None:
            raise ValueRejectedError("target_type: goes with target_id", field="target_type")
        if search.from_at >= search.until_at:
            raise ValueRejectedError("until_at: must be after from_at", field="until_at")
        return search

    @property
    def list_name(self) -> str:
        """What its cursors belong to: another search is another list."""
        return f"audit.search:{json.dumps(self.question, sort_keys=True)}"

    @property
    def question(self) -> dict[str, object]:
        """The filters that were given, as JSON has them."""
        return {
            field.name: _told(value)
            for field in attrs.fields(AuditSearch)
            if (value := getattr(self, field.name)) != field.default
        }

    @property
    def way_in(self) -> WayIn:
        """The narrowest key."""
        if self.target_id is not None:
            return WayIn.TARGET
        if self.actor_id is not None:
            return WayIn.ACTOR
        is_grave = self.severity in AuditSeverity.HIGH.and_above
        is_login = self.category is AuditCategory.AUTHENTICATION
        if is_grave or is_login or self.outcome is Outcome.DENIED:
            return WayIn.SECURITY
        return WayIn.OCCURRED

    @property
    def passes_over(self) -> bool:
        """Whether entries that the key gives are left out by another filter."""
        said = {
            field.name
            for field in attrs.fields(AuditSearch)
            if getattr(self, field.name) != field.default
        }
        of_key = {
            WayIn.TARGET: {"target_type", "target_id"},
            WayIn.ACTOR: {"actor_id"},
        }.get(self.way_in, set())
        return bool(said - of_key - {"from_at", "until_at"})


def _told(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return str(value)


def _key_rows(
    search: AuditSearch, binder: Binder, after: Key, window_rows: int, *, oldest_first: bool
) -> Any:
    """The next rows of the key that is the way in: their time and id."""
    k = Table("audit_logs").as_("k")
    way = search.way_in
    query: Any = MySQLQuery.from_(k).force_index(f"ix_audit_logs_{way}")
    at = k.security_at if way is WayIn.SECURITY else k.occurred_at
    if way is WayIn.TARGET:
        target_type = binder.bind("target_type", "VARCHAR(32)", search.target_type, "the entity")
        target_id = binder.bind("target_id", "BINARY(16)", search.target_id, "its id")
        query = query.where(k.target_type == target_type).where(k.target_id == target_id)
    if way is WayIn.ACTOR:
        actor_id = binder.bind("actor_id", "BINARY(16)", search.actor_id, "who acted")
        query = query.where(k.actor_id == actor_id)
    beyond = "after" if oldest_first else "before"
    last_at = binder.bind(f"{beyond}_at", "DATETIME(6)", after[0], "time of the last row before")
    last_id = binder.bind(f"{beyond}_id", "BINARY(16)", after[1], "its id, to break ties")
    if oldest_first:
        query = query.where((at > last_at) | ((at == last_at) & (k.id > last_id)))
    else:
        query = query.where((at < last_at) | ((at == last_at) & (k.id < last_id)))
    order = Order.asc if oldest_first else Order.desc
    if search.from_at != START_OF_TIME:
        query = query.where(
            at >= binder.bind("from_at", "DATETIME(6)", search.from_at, "the earliest")
        )
    if search.until_at != END_OF_TIME:
        query = query.where(
            at < binder.bind("until_at", "DATETIME(6)", search.until_at, "what is too late")
        )
    rows = binder.bind("window_rows", "INT", window_rows, "how many entries are looked at")
    return (
        query.select(at.as_("occurred_at"), k.id.as_("id"))
        .orderby(at, order=order)
        .orderby(k.id, order=order)
        .limit(rows)
    )


def _filters(search: AuditSearch, a: Table, binder: Binder) -> Iterator[Criterion]:
    """What the key that is the way in does not say."""
    if search.text is not None:
        pattern = binder.bind("pattern", _PATTERN, _within(search.text), "a part of a text")
        in_json = json.dumps(search.text, ensure_ascii=False)[1:-1]
        as_json = binder.bind("json_pattern", _PATTERN, _within(in_json), "as JSON writes it")
        found = a.changes.like(as_json)
        for name in _TEXT_COLUMNS:
            found |= getattr(a, name).like(pattern)
        yield found
    if search.field is not None:
        # A quote within a text has a backslash before it, so this is a key.
        key = f"{json.dumps(search.field, ensure_ascii=False)}:"
        yield a.changes.like(
            binder.bind("key_pattern", _PATTERN, _within(key), "a key of the changes")
        )
    if search.actions:
        yield a.action.isin(
            [
                binder.bind(f"action_{n}", "VARCHAR(64)", action, "dotted verb")
                for n, action in enumerate(search.actions)
            ]
        )
    if search.severity is not None:
        yield a.severity.isin(
            [
                binder.bind(f"severity_{n}", "VARCHAR(8)", severity, "how much it matters")
                for n, severity in enumerate(search.severity.and_above)
            ]
        )
    way = search.way_in
    chosen: tuple[tuple[str, str, object], ...] = (
        ("category", "VARCHAR(14)", search.category),
        ("outcome", "VARCHAR(7)", search.outcome),
        ("actor_id", "BINARY(16)", None if way is WayIn.ACTOR else search.actor_id),
        ("target_type", "VARCHAR(32)", None if way is WayIn.TARGET else search.target_type),
        ("request_id", "VARCHAR(64)", search.request_id),
        ("ip", "VARCHAR(45)", search.ip),
    )
    for name, sql_type, value in chosen:
        if value is not None:
            yield getattr(a, name) == binder.bind(f"wanted_{name}", sql_type, value, f"its {name}")


def _within(text: str) -> str:
    return f"%{escape_like(text)}%"


def audit_search(
    search: AuditSearch,
    *,
    after: Key,
    window_rows: int,
    limit_rows: int,
    oldest_first: bool = False,
) -> Dynamic[AuditEntry]:
    """The entries that are asked for among the next of the key, newest first or oldest first.

    Args:
        after: occurred_at and id of the last one that was looked at; to begin ``FIRST_KEY``, and
            oldest first ``OLDEST_KEY``.
        window_rows: how many the key gives.
    """
    binder = Binder()
    w = _key_rows(search, binder, after, window_rows, oldest_first=oldest_first).as_("w")
    order = Order.asc if oldest_first else Order.desc
    a = ById("audit_logs").as_("a")
    query: Any = MySQLQuery.from_(w).join(a).on(a.id == w.id)
    for criterion in _filters(search, a, binder):
        query = query.where(criterion)
    query = (
        query.select(*columns_of(AuditEntry, a))
        .orderby(a.occurred_at, order=order)
        .orderby(a.id, order=order)
        .limit(binder.bind("limit_rows", "INT", limit_rows, "the most rows to give"))
    )
    header = {
        "summary": f"Search some of the entries, {'oldest' if oldest_first else 'newest'} first.",
        "access": "system",
        "deleted": "n/a",
        "index": f"ix_audit_logs_{search.way_in}, PRIMARY",
        "reads": "n/a: at most the entries of the window, by its key and by their own",
    }
    return binder.finish(
        f"search/audit_{'old_' if oldest_first else ''}{search.way_in}", query, AuditEntry, header
    )


def audit_window_end(
    search: AuditSearch, *, after: Key, window_rows: int, oldest_first: bool = False
) -> Dynamic[AuditKey]:
    """Where the window ends that :func:`audit_search` looked at: one row, none if it is empty."""
    binder = Binder()
    w = _key_rows(search, binder, after, window_rows, oldest_first=oldest_first).as_("w")
    order = Order.desc if oldest_first else Order.asc
    query: Any = (
        MySQLQuery.from_(w)
        .select(w.occurred_at.as_("occurred_at"), w.id.as_("id"))
        .orderby(w.occurred_at, order=order)
        .orderby(w.id, order=order)
        .limit(binder.bind("limit_rows", "INT", 1, "the last one alone"))
    )
    header = {
        "summary": "Find the last of the entries that a search looked at.",
        "access": "system",
        "deleted": "n/a",
        "index": f"ix_audit_logs_{search.way_in}",
        "reads": "window_rows + 1",
    }
    return binder.finish(
        f"search/audit_end_{'old_' if oldest_first else ''}{search.way_in}", query, AuditKey, header
    )


def every_audit_shape(text: str, some_id: UUID) -> Iterator[tuple[str, AuditSearch]]:
    """Each kind of search: every way in, with all filters and with none but those of the way.

    The review checks what they become like files.
    """
    every = {
        "text": text,
        "field": "name",
        "actions": ("a.b", "a.c"),
        "request_id": "r",
        "ip": "192.0.2.1",
        "from_at": datetime(2020, 1, 1, tzinfo=START_OF_TIME.tzinfo),
        "until_at": datetime(2030, 1, 1, tzinfo=START_OF_TIME.tzinfo),
    }
    ways: dict[WayIn, dict[str, Any]] = {
        WayIn.TARGET: {"target_type": "template", "target_id": some_id},
        WayIn.ACTOR: {"actor_id": some_id},
        WayIn.SECURITY: {"outcome": Outcome.DENIED},
        WayIn.OCCURRED: {},
    }
    more: dict[str, Any] = {
        "category": AuditCategory.DATA,
        "severity": AuditSeverity.MEDIUM,
        "outcome": Outcome.FAILURE,
    }
    for way, said in ways.items():
        yield f"{way}", AuditSearch(**said)
        yield f"{way} filtered", AuditSearch(**{**every, **more, **said})
    both = {**ways[WayIn.TARGET], **ways[WayIn.ACTOR]}
    yield "target of actor", AuditSearch(**both)
    yield "type", AuditSearch(target_type="template")
