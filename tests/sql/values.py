"""For every parameter a value that hits and one that misses, put together from the aggregates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from dal.statements import Statement
from dal.statements.lexer import Kind, tokens
from tests.sql.aggregates import AGGREGATES, of, together
from tests.sql.aggregates.common import NEVER_MISSES, Values

_TABLE: Final[Mapping[str, tuple[object, object]]] = together("values")
HITS: Final[Mapping[str, object]] = {name: hit for name, (hit, _) in _TABLE.items()}
MISSES: Final[Mapping[str, object]] = {
    name: miss for name, (_, miss) in _TABLE.items() if miss is not NEVER_MISSES
}
CASES: Final[Mapping[str, tuple[Values, ...]]] = together("cases")
PASSED_BY: Final[Mapping[str, Mapping[str, Values]]] = together("passed_by")
GIVES_WITHOUT: Final[Mapping[tuple[str, str], str]] = together("gives_without")
# Chooses rows, and is written too: that it chooses must not depend on where it stands in the text.
ALSO_CHOOSES: Final = frozenset[tuple[str, str]]().union(*(a.also_chooses for a in AGGREGATES))


def _cursors(statement: Statement, factor: int) -> tuple[Values, ...]:
    """Where pages start: at the top, and at a row in the middle that ties with the next."""
    names = {param.name for param in statement.params}
    middle = of(statement.name.partition("/")[0]).middle(statement, names, factor)
    return ({}, middle) if middle else ({},)


def raw(value: object) -> str | bytes | None:
    """A value as it comes over the wire."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return str(int(value)) if isinstance(value, bool) else str(value)


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
    """Sets of values with which the statement must find nothing, and what is wrong with them."""
    first = hits(statement, factor)[0]
    return [
        *(
            (f"a {name} that is not there", {**first, name: MISSES[name]})
            for name in sorted(selecting(statement) & MISSES.keys())
            if (statement.name, name) not in GIVES_WITHOUT
        ),
        *(
            (what, {**first, **values})
            for what, values in PASSED_BY.get(statement.name, {}).items()
        ),
    ]
