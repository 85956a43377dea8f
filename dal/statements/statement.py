"""One statement, compiled: its text cut at the places where values stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import attrs

from dal.errors import StatementError, UsageError, ValueRejectedError
from dal.statements.header import Header, Param, parse_header
from dal.statements.lexer import Kind, Token, tokens

__all__ = ["BulkPlan", "Rendered", "Statement", "compile_statement", "cut"]

_NAME = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*\Z")
_FIRST_WORDS: Final = frozenset({"SELECT", "WITH", "INSERT", "UPDATE", "DELETE"})
# What would leave a trace in the session: a pooled connection goes to the next caller unreset.
_SESSION_WORDS: Final = frozenset(
    {"GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS", "OUTFILE",
     "DUMPFILE", "LOAD_FILE", "SLEEP", "BENCHMARK"}
)  # fmt: skip
_MAX_LIST: Final = 10_000


@attrs.frozen(slots=True)
class Place:
    """Where the value of a parameter stands; ``many`` is a list in parentheses, for IN."""

    param: Param
    many: bool


Piece = str | Place


@attrs.frozen(slots=True)
class Rendered:
    """What is sent. ``sizes`` tells how many bytes each value takes, for the error that names the
    largest when the packet would be too big. An empty IN list leaves nothing to send.
    """

    sql: bytes
    sizes: Mapping[str, int]
    empty_list: bool = False


@attrs.frozen(slots=True)
class BulkPlan:
    """An INSERT cut before and after its one row of VALUES."""

    head: str
    row: tuple[Piece, ...]
    tail: str


@attrs.frozen(slots=True, kw_only=True)
class Statement:
    """A .sql file, checked and ready to be rendered with values."""

    name: str
    header: Header
    sql: str
    pieces: tuple[Piece, ...] = attrs.field(repr=False)
    writes: bool
    locking: bool
    bulk: BulkPlan | None = attrs.field(repr=False)

    @property
    def params(self) -> tuple[Param, ...]:
        """The parameters, in the order of the header."""
        return self.header.params

    def render(self, values: Mapping[str, object]) -> Rendered:
        """The statement with ``values`` in place.

        Raises:
            UsageError: a parameter is missing, or one is given that the file does not declare.
            ValueRejectedError: a value does not fit the declared type.
        """
        if len(values) != len(self.params) or any(p.name not in values for p in self.params):
            declared, given = {p.name for p in self.params}, set(values)
            raise UsageError(
                f"{self.name}: missing {sorted(declared - given)},"
                f" unknown {sorted(given - declared)}"
            )
        try:
            return _render(self.pieces, values)
        except ValueRejectedError as error:
            error.statement = self.name
            raise

    def render_row(self, values: Mapping[str, object]) -> str:
        """One row of VALUES, for a statement that inserts many.

        Raises:
            UsageError: not an INSERT of VALUES; a value missing or unknown.
            ValueRejectedError: a value does not fit the declared type.
        """
        if self.bulk is None:
            raise UsageError(f"{self.name}: not an INSERT with one row of VALUES")
        if values.keys() != {param.name for param in self.params}:
            raise UsageError(f"{self.name}: a row needs exactly the declared parameters")
        try:
            parts = [
                piece if isinstance(piece, str) else _literal(piece, values)
                for piece in self.bulk.row
            ]
        except ValueRejectedError as error:
            error.statement = self.name
            raise
        return "".join(parts)


def _literal(place: Place, values: Mapping[str, object]) -> str:
    return place.param.type.literal(values[place.param.name], place.param.name)


def _list_literal(place: Place, values: Mapping[str, object]) -> str:
    name, value = place.param.name, values[place.param.name]
    if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, frozenset, set)):
        raise ValueRejectedError(f"{name}: a list is required", field=name)
    if len(value) > _MAX_LIST:
        raise ValueRejectedError(f"{name}: at most {_MAX_LIST} elements", field=name)
    if any(element is None for element in value):
        # IN (NULL) is never true, and NOT IN (NULL) never either.
        raise ValueRejectedError(f"{name}: None is no element of a list", field=name)
    return "(" + ", ".join(place.param.type.literal(element, name) for element in value) + ")"


def _render(pieces: Iterable[Piece], values: Mapping[str, object]) -> Rendered:
    parts: list[str] = []
    sizes: dict[str, int] = {}
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(piece)
            continue
        if piece.many:
            text = _list_literal(piece, values)
            if text == "()":
                return Rendered(b"", {}, empty_list=True)
        else:
            text = _literal(piece, values)
        sizes[piece.param.name] = max(len(text), sizes.get(piece.param.name, 0))
        parts.append(text)
    return Rendered("".join(parts).encode(), sizes)


def cut(sql: str, params: Mapping[str, Param]) -> tuple[Piece, ...]:
    """The text cut at its ``:name`` places.

    Raises:
        StatementError: a name is used that is not declared.
    """
    pieces: list[Piece] = []
    text: list[str] = []
    last_word = ""
    for token in tokens(sql):
        if token.kind is not Kind.PARAM:
            text.append(token.text)
            if token.kind is Kind.WORD:
                last_word = token.text.upper()
            elif token.kind not in (Kind.SPACE, Kind.COMMENT):
                last_word = ""
            continue
        name = token.text[1:]
        if name not in params:
            raise StatementError(f"used but not declared: :{name}")
        if text:
            pieces.append("".join(text))
            text = []
        pieces.append(Place(params[name], many=last_word == "IN"))
        last_word = ""
    if text:
        pieces.append("".join(text))
    return tuple(pieces)


def _significant(sql: str) -> Iterator[Token]:
    return (t for t in tokens(sql) if t.kind not in (Kind.SPACE, Kind.COMMENT))


def _check_body(sql: str) -> tuple[bool, bool]:
    """(writes, locking) of a body that is one harmless statement."""
    words: list[str] = []
    outer: list[str] = []  # those that stand in no parentheses
    depth = 0
    ended = False
    for token in _significant(sql):
        if ended:
            raise StatementError("one statement a file")
        if token.kind is Kind.EXECUTABLE_COMMENT:
            raise StatementError("a version comment hides SQL from one of the servers")
        if token.kind is Kind.VARIABLE:
            raise StatementError(f"a variable outlives the statement: {token.text}")
        if token.text == "?":
            raise StatementError("a value stands as :name, not as ?")
        if token.text == ";":
            ended = True
        elif token.kind is Kind.WORD:
            words.append(token.text.upper())
            if depth == 0:
                outer.append(words[-1])
        elif token.kind is Kind.QUOTED_NAME:
            # A function is called by its quoted name too.
            words.append(token.text.strip("`").upper())
        else:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
    if not words or words[0] not in _FIRST_WORDS:
        raise StatementError(f"a statement starts with {', '.join(sorted(_FIRST_WORDS))}")
    changing = sorted(_SESSION_WORDS & set(words))
    if changing:
        raise StatementError(f"not in a statement: {', '.join(changing)}")
    # Behind WITH and its queries in parentheses stands what the statement does.
    verbs = [word for word in outer if word in ("SELECT", "INSERT", "UPDATE", "DELETE")]
    writes = bool(verbs) and verbs[0] != "SELECT"
    pairs = list(pairwise(words))
    locking = not writes and (
        ("FOR", "UPDATE") in pairs or ("FOR", "SHARE") in pairs or ("LOCK", "IN") in pairs
    )
    return writes, locking


def _bulk_plan(sql: str, params: Mapping[str, Param]) -> BulkPlan | None:
    """Where the one row of VALUES starts and ends, if this is an INSERT of one row of VALUES."""
    head: list[str] = []
    row: list[str] = []
    tail: list[str] = []
    depth = 0
    seen_values = False
    for token in tokens(sql):
        if not seen_values:
            head.append(token.text)
            seen_values = token.kind is Kind.WORD and token.text.upper() == "VALUES"
            continue
        if tail or (row and depth == 0):
            tail.append(token.text)
            continue
        if not row and token.text != "(":
            head.append(token.text)
            continue
        row.append(token.text)
        depth += {"(": 1, ")": -1}.get(token.text, 0)
    tail_text = "".join(tail).rstrip().rstrip(";")
    if not row or depth or any(t.kind is Kind.PARAM for t in tokens(tail_text)):
        return None
    return BulkPlan("".join(head), cut("".join(row), params), tail_text)


def compile_statement(name: str, text: str) -> Statement:
    """The statement of a file's text.

    Args:
        name: ``table/method``, from the file's path.

    Raises:
        StatementError: the file is wrong; the message starts with its name.
    """
    try:
        if not _NAME.match(name):
            raise StatementError("a path is <table>/<method>.sql, lower case")
        lines = text.splitlines()
        n_comments = next(
            (i for i, line in enumerate(lines) if not line.startswith("--")), len(lines)
        )
        header = parse_header(lines[:n_comments])
        body = "\n".join(lines[n_comments:]).strip().rstrip(";").rstrip()
        writes, locking = _check_body(body)
        reads_rows = header.verb in ("one", "find", "many", "value")
        if reads_rows == writes:
            raise StatementError(f"returns: {header.verb} does not fit the statement")
        params = {param.name: param for param in header.params}
        # The comment in front tells the slow log and the processlist which file this was.
        sql = f"/* dal:{name} */ {body}"
        pieces = cut(sql, params)
        unused = set(params) - {p.param.name for p in pieces if isinstance(p, Place)}
        if unused:
            raise StatementError(f"declared but not used: {', '.join(sorted(unused))}")
        return Statement(
            name=name,
            header=header,
            sql=body,
            pieces=pieces,
            writes=writes,
            locking=locking,
            bulk=_bulk_plan(sql, params) if body[:6].upper() == "INSERT" else None,
        )
    except StatementError as error:
        raise StatementError(f"{name}: {error.message}", statement=name) from None
