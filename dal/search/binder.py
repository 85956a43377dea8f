"""PyPika, fenced in: values are bound, names come from our own columns, nothing is inlined.

``str(query)`` of PyPika writes values into the text with quotes doubled, which a backslash passes;
in its parameter mode the arguments of functions are still written so. So no Python value is given
to PyPika at all: :class:`Binder` hands it a named parameter and keeps the value, and
:meth:`Binder.finish` lexes the text that came out and refuses any literal in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, TypeVar, cast

import attrs
from pypika import Table
from pypika.dialects import MySQLQueryBuilder
from pypika.terms import Parameter

from dal.errors import StatementError
from dal.statements import Dynamic, Header, Many, Param, Statement
from dal.statements.lexer import Kind, tokens
from dal.statements.literals import parse_type
from dal.statements.statement import Place, cut

__all__ = ["Binder", "ById", "columns_of", "escape_like"]

R = TypeVar("R")

_LITERALS = (Kind.STRING, Kind.NUMBER, Kind.VARIABLE, Kind.EXECUTABLE_COMMENT, Kind.COMMENT)
# Other ways to leave a place for a value, and a second statement.
_NOT_OURS = frozenset({";", "?", "%"})
_VALUE_WORDS = frozenset({"TRUE", "FALSE"})
_NOT_IN_A_SEARCH = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "INTO", "FOR", "LOCK"})


def escape_like(text: str) -> str:
    """``text`` as LIKE sees it literally.

    A backslash escapes in LIKE as long as the session is not in NO_BACKSLASH_ESCAPES, which is
    refused on connect.
    """
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class ById(Table):  # type: ignore[misc]
    """A table that is looked into by its primary key: where it has few rows, MariaDB else reads
    all of it each time. A class below it names another key.
    """

    KEY: ClassVar[str] = "PRIMARY"

    def get_sql(self, **kwargs: Any) -> str:
        """As PyPika's, with the key."""
        sql: str = super().get_sql(**kwargs)
        return f"{sql} FORCE INDEX ({self.KEY})" if kwargs.get("with_alias", True) else sql


class Binder:
    """Collects the values of one query; one query, one binder."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}
        self._params: dict[str, Param] = {}
        self._finished = False

    def bind(self, name: str, sql_type: str, value: object, meaning: str) -> Parameter:
        """A place for ``value`` in the text, as ``:name``; of one value there may be several.

        Raises:
            StatementError: something else has the name already, or the query is finished.
        """
        param = Param(name, parse_type(sql_type), meaning)
        others = (param, value) != (self._params.get(name, param), self._values.get(name, value))
        if others or self._finished:
            raise StatementError(f"bound twice, or too late: {name}")
        self._params[name] = param
        self._values[name] = value
        return Parameter(f":{name}")

    @property
    def values(self) -> Mapping[str, object]:
        """What was bound until now."""
        return self._values

    def finish(
        self, name: str, query: MySQLQueryBuilder, record: type[R], header: Mapping[str, str]
    ) -> Dynamic[R]:
        """The query as a statement with its values.

        Args:
            name: as of a file, ``search/...``: what the log and the hook call it.
            header: summary, access, deleted, index and reads, as a file's header would say.

        Raises:
            StatementError: the text holds a literal, is not one SELECT with an ORDER BY and a
                LIMIT, locks rows, or its parameters are not those that were bound; or this binder
                has finished a query before.
        """
        if self._finished:
            raise StatementError(f"{name}: one query, one binder")
        self._finished = True
        sql = query.get_sql()
        return Dynamic(
            _compile(
                name, sql, tuple(self._params.values()), cast(Any, record), tuple(header.items())
            ),
            self._values,
        )


@lru_cache(maxsize=512)
def _compile(
    name: str,
    sql: str,
    params: tuple[Param, ...],
    record: type[Any],
    header: tuple[tuple[str, str], ...],
) -> Many[Any]:
    before = ""
    for token in tokens(sql):
        if token.kind is Kind.SPACE:
            continue
        word = token.text.upper() if token.kind is Kind.WORD else ""
        # PyPika writes True and None as words: they are values too, but for IS NULL.
        inlined = word in _VALUE_WORDS or (word == "NULL" and before not in ("IS", "NOT"))
        if token.kind in _LITERALS or token.text in _NOT_OURS or inlined:
            raise StatementError(f"{name}: a {token.kind.value} in a statement that was built")
        if word in _NOT_IN_A_SEARCH:
            raise StatementError(f"{name}: {word} in a search, which only reads")
        before = word
    if not sql.startswith("SELECT ") or " ORDER BY " not in sql or " LIMIT " not in sql:
        raise StatementError(f"{name}: a search is a SELECT with an ORDER BY and a LIMIT")
    pieces = cut(f"/* dal:{name} */ {sql}", {param.name: param for param in params})
    used = {piece.param.name for piece in pieces if isinstance(piece, Place)}
    unused = sorted({param.name for param in params} - used)
    if unused:
        # A value that was bound and does not stand in the text is a filter that was lost.
        raise StatementError(f"{name}: bound but not used: {', '.join(unused)}")
    texts = dict(header)
    return Many(
        Statement(
            name=name,
            header=Header(
                summary=texts["summary"],
                verb="many",
                record=record.__name__,
                params=params,
                access=texts["access"],
                deleted=texts["deleted"],
                index=texts["index"],
                reads=texts["reads"],
                locks="none",
            ),
            sql=sql,
            pieces=pieces,
            writes=False,
            locking=False,
            bulk=None,
        ),
        record,
    )


def columns_of(record: type[Any], table: Table, **others: Any) -> list[Any]:
    """The select list of a record: its fields, from the table's columns of the same names.

    Args:
        others: what a field is selected from where it is no column of the table.
    """
    return [
        others.get(field.name, getattr(table, field.name)).as_(field.name)
        for field in attrs.fields(record)
    ]
