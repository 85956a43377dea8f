"""The comment block at the top of a .sql file: the statement's contract with the server."""

from __future__ import annotations

import re
from typing import Final

import attrs

from dal.errors import StatementError
from dal.statements.literals import SqlType, parse_type

__all__ = ["Header", "Param", "parse_header"]

_KEYS: Final = ("returns", "param", "access", "deleted", "index", "reads", "locks")
_VERBS: Final = ("one", "find", "many", "value", "affected", "last_id")
# ``participant``: a row of the actor in a table beside it says so, as for what several share.
_WORDS: Final = ("actor", "participant", "public", "public or actor")
_ACCESS: Final = frozenset(
    {*_WORDS, *(f"{word} or system" for word in _WORDS), "token", "system", "n/a"}
)
_DELETED: Final = frozenset({"excluded", "only", "included", "n/a"})
_LINE = re.compile(r"--(?: (?P<text>.*))?\Z")
_KEY = re.compile(r"(?P<key>[a-z_]+):\s+(?P<value>.*\S)\s*\Z")
_PARAM = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*)\s+"
    r"(?P<type>[A-Z]+(?:\(\d+(?:,\s*\d+)?\))?(?: UNSIGNED)?(?: NULL)?)(?:\s+(?P<meaning>\S.*))?\Z"
)


@attrs.frozen(slots=True)
class Param:
    """A value that the caller gives: its name, its SQL type, what it means and its unit."""

    name: str
    type: SqlType
    meaning: str


@attrs.frozen(slots=True, kw_only=True)
class Header:
    """What a .sql file says of itself. Every key is checked against real servers by the tests."""

    summary: str
    verb: str
    record: str | None
    params: tuple[Param, ...]
    access: str
    deleted: str
    index: str
    reads: str
    locks: str


def _returns(value: str) -> tuple[str, str | None]:
    verb, _, record = value.partition(" ")
    if verb not in _VERBS:
        raise StatementError(f"returns: one of {', '.join(_VERBS)}, not {verb!r}")
    takes_record = verb in ("one", "find", "many", "value")
    if takes_record != bool(record):
        raise StatementError(f"returns: {verb} {'needs a type' if takes_record else 'has no type'}")
    return verb, record or None


def _param(value: str) -> Param:
    match = _PARAM.match(value)
    if match is None:
        raise StatementError(f"param: name, SQL TYPE and meaning, not {value!r}")
    if not match["meaning"]:
        raise StatementError(f"param {match['name']}: say what it means")
    return Param(match["name"], parse_type(match["type"]), match["meaning"])


def parse_header(lines: list[str]) -> Header:
    """The header of the comment lines at the top of a file.

    Raises:
        StatementError: a key is missing, unknown, given twice, or has a value that it cannot have.
    """
    summary: str | None = None
    found: dict[str, str] = {}
    params: list[Param] = []
    for line in lines:
        match = _LINE.match(line.rstrip())
        text = (match["text"] or "").strip() if match else ""
        if summary is None:
            summary = text
            continue
        if not text:
            continue
        key_match = _KEY.match(text)
        if key_match is None or key_match["key"] not in _KEYS:
            # A second sentence may follow the first one, before the keys.
            if found or params:
                raise StatementError(f"not a header key: {text!r}")
            continue
        key, value = key_match["key"], key_match["value"]
        if key == "param":
            params.append(_param(value))
        elif key == "locks" and key in found:
            # A list that may not fit into one line.
            found[key] += f", {value}"
        elif key in found:
            raise StatementError(f"{key}: given twice")
        else:
            found[key] = value
    if not summary or not summary.endswith(".") or not summary[0].isupper():
        raise StatementError("the first line is one sentence: what the statement does")
    missing = [key for key in _KEYS if key not in found and key != "param"]
    if missing:
        raise StatementError(f"missing in the header: {', '.join(missing)}")
    names = [param.name for param in params]
    if len(set(names)) != len(names):
        raise StatementError("a param is declared twice")
    if found["access"] not in _ACCESS:
        raise StatementError(f"access: one of {', '.join(sorted(_ACCESS))}")
    if found["deleted"] not in _DELETED:
        raise StatementError(f"deleted: one of {', '.join(sorted(_DELETED))}")
    verb, record = _returns(found["returns"])
    return Header(
        summary=summary,
        verb=verb,
        record=record,
        params=tuple(params),
        access=found["access"],
        deleted=found["deleted"],
        index=found["index"],
        reads=found["reads"],
        locks=found["locks"],
    )
