"""For every parameter a value that hits and one that misses, by its name: a name means one thing.

``HITS`` and ``MISSES`` are the table. ``CASES`` says which other values a statement needs to do its
work: a row that is not there yet, a template that is in the trash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID
from dal.statements import Statement
from dal.statements.lexer import Kind, tokens
from dal.testing import fill
from dal.testing.fill import NOBODY, OWNER, START, STRANGER

Values = dict[str, object]

# Templates of OWNER: a live private one of three versions with two tags, a live public one, and
# some in the trash.
PRIVATE: Final = 20
PUBLIC: Final = 60
TRASH: Final = (40, 50, 120)
DELETED_USER: Final = 3
FRESH: Final = 10**6
"""Number of a row that is not there yet."""

LIMIT: Final = 20
NOW: Final = START + timedelta(days=100)
BEFORE_ALL: Final = START - timedelta(days=1)
NEVER_MISSES: Final = object()
"""For what is only written or computed with: it selects nothing."""

# Name: hit, miss.
_TABLE: Final[Mapping[str, tuple[object, object]]] = {
    "action": ("template.update_details", NEVER_MISSES),
    "actor_id": (fill.user_id(OWNER), NOBODY),
    "actor_name": (None, NEVER_MISSES),
    "actor_type": ("user", NEVER_MISSES),
    "affected": (1, NEVER_MISSES),
    "audit_id": (fill.audit_id(FRESH), NEVER_MISSES),
    "author_name": ("Ada", NEVER_MISSES),
    "before_at": (END_OF_TIME, BEFORE_ALL),
    "before_deleted_at": (END_OF_TIME, BEFORE_ALL),
    "before_id": (MAX_ID, NEVER_MISSES),
    "before_version": (2**32 - 1, 1),
    "category_id": (fill.category_id(1), NEVER_MISSES),
    "category_name": ("A new category", NEVER_MISSES),
    "changes": ("{}", NEVER_MISSES),
    "content": ("Review {{sql}}", NEVER_MISSES),
    "content_sha256": (bytes(32), NEVER_MISSES),
    "created_at": (START, NEVER_MISSES),
    "created_by": (fill.user_id(OWNER), NEVER_MISSES),
    "deleted_before": (END_OF_TIME, BEFORE_ALL),
    "description": ("What it is for", NEVER_MISSES),
    "email": ("user0@example.org", "nobody@example.org"),
    "full_name": ("Ada", NEVER_MISSES),
    "ip": (None, NEVER_MISSES),
    "limit_rows": (LIMIT, NEVER_MISSES),
    "message": (None, NEVER_MISSES),
    "name": ("A template", NEVER_MISSES),
    "now": (NOW, NEVER_MISSES),
    "occurred_at": (NOW, NEVER_MISSES),
    "outcome": ("success", NEVER_MISSES),
    "owner_id": (fill.user_id(OWNER), NOBODY),
    "request_id": (None, NEVER_MISSES),
    "slug": ("a-new-category", NEVER_MISSES),
    "slugs": (["category-1", "category-2"], ["no-such-category"]),
    "system_prompt": (None, NEVER_MISSES),
    "tag_id": (fill.tag_id(FRESH), NEVER_MISSES),
    "tag_key": ("a-new-tag", NEVER_MISSES),
    "tag_keys": (["tag1", "tag2"], ["no-such-tag"]),
    "tag_name": ("A new tag", NEVER_MISSES),
    "target_id": (fill.template_id(0), NOBODY),
    "target_type": ("template", "no-such-type"),
    "template_id": (fill.template_id(PRIVATE), NOBODY),
    "template_ids": ([fill.template_id(n) for n in TRASH], [NOBODY]),
    "user_agent": (None, NEVER_MISSES),
    "user_id": (fill.user_id(OWNER), NOBODY),
    "version": (fill.head_version(PRIVATE), 99),
    "visibility": ("public", NEVER_MISSES),
}
HITS: Final[Mapping[str, object]] = {name: hit for name, (hit, _) in _TABLE.items()}
MISSES: Final[Mapping[str, object]] = {
    name: miss for name, (_, miss) in _TABLE.items() if miss is not NEVER_MISSES
}

_IN_TRASH: Final[Values] = {"template_id": fill.template_id(TRASH[0])}
_NEW_TEMPLATE: Final[Values] = {"template_id": fill.template_id(FRESH)}
_VISIBLE: Final[tuple[Values, ...]] = (
    {},
    {"template_id": fill.template_id(PUBLIC), "version": 1},
    {"template_id": fill.template_id(PUBLIC), "version": 1, "actor_id": None},
    {"template_id": fill.template_id(PUBLIC), "version": 1, "actor_id": fill.user_id(STRANGER)},
)
CASES: Final[Mapping[str, tuple[Values, ...]]] = {
    "categories/insert_many": ({"category_id": fill.category_id(FRESH)},),
    "template_tags/insert_many": ({"tag_id": fill.tag_id(5)},),
    "template_versions/get_visible": _VISIBLE,
    "template_versions/insert_many": ({"version": fill.head_version(PRIVATE) + 1},),
    "template_versions/list_visible": _VISIBLE,
    "templates/exists_visible": _VISIBLE,
    "templates/get_own_including_deleted": ({}, _IN_TRASH),
    "templates/get_visible": _VISIBLE,
    "templates/insert": (_NEW_TEMPLATE,),
    "templates/insert_many": (_NEW_TEMPLATE,),
    "templates/purge": (_IN_TRASH,),
    "templates/restore": (_IN_TRASH,),
    "templates/update_head": ({"version": fill.head_version(PRIVATE) + 1},),
    "users/insert": ({"user_id": fill.user_id(FRESH), "email": "new@example.org"},),
    "users/restore": ({"user_id": fill.user_id(DELETED_USER)},),
}

# Chooses rows, and is written too: that it chooses must not depend on where it stands in the text.
ALSO_CHOOSES: Final = frozenset({("templates/update_head", "version")})

# A statement that gives something even where this parameter misses, and why.
GIVES_WITHOUT: Final[Mapping[tuple[str, str], str]] = {
    ("templates/lock_parents", "slugs"): "the owner, without a category",
    ("templates/list_trash", "before_at"): "it breaks ties of deleted_at",
}


def _template_cursor(n: int) -> Values:
    return {"before_at": fill.template_created_at(n), "before_id": fill.template_id(n)}


def _trash_cursor(n: int) -> Values:
    return {"before_deleted_at": fill.template_deleted_at(n), **_template_cursor(n)}


def _audit_cursor(n: int) -> Values:
    return {"before_at": START + timedelta(minutes=n // 20), "before_id": fill.audit_id(n)}


def _cursors(statement: Statement, factor: int) -> tuple[Values, ...]:
    """Where pages start: at the top, and at a row in the middle that ties with the next."""
    names = {param.name for param in statement.params}
    if "before_deleted_at" in names:
        return ({}, _trash_cursor(160 * factor + 50))
    if "before_at" in names:
        middle: Callable[[int], Values] = (
            _audit_cursor if statement.name.startswith("audit_logs/") else _template_cursor
        )
        return ({}, middle(250 * factor // 20 * 20 + 10))
    if "before_version" in names:
        return ({}, {"before_version": 3})
    return ({},)


def hits(statement: Statement, factor: int) -> list[Values]:
    """Every set of values with which the statement must do its work."""
    names = [param.name for param in statement.params]
    found = []
    for case in CASES.get(statement.name, ({},)):
        for cursor in _cursors(statement, factor):
            merged: Mapping[str, Any] = {**HITS, **case, **cursor}
            values = {name: merged[name] for name in names}
            if values not in found:
                found.append(values)
    return found


def selecting(statement: Statement) -> set[str]:
    """The parameters that choose rows: those behind WHERE."""
    names = {name for of, name in ALSO_CHOOSES if of == statement.name}
    behind = False
    for token in tokens(statement.sql):
        if token.kind is Kind.WORD and token.text.upper() == "WHERE":
            behind = True
        elif token.kind is Kind.PARAM and behind:
            names.add(token.text[1:])
    # ON stands before WHERE; a parameter there chooses rows as well.
    if " IN :" in statement.sql:
        names.update(p.name for p in statement.params if f" IN :{p.name}" in statement.sql)
    return names


def misses(statement: Statement, factor: int) -> list[tuple[str, Values]]:
    """Sets of values with one that misses, and its name: the statement must find nothing."""
    first = hits(statement, factor)[0]
    return [
        (name, {**first, name: MISSES[name]})
        for name in sorted(selecting(statement) & MISSES.keys())
        if (statement.name, name) not in GIVES_WITHOUT
    ]
