"""A statement of ``sql/`` with values in it, and the server's plan for that. It is never run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, Final
from uuid import UUID

import attrs
import pymysql

from dal.cli.options import named
from dal.config import Config, PrivateAddress, parse
from dal.errors import UsageError, ValueRejectedError, from_server
from dal.private import kept_config, start_temporary
from dal.provision import connect, errno_and_text
from dal.records.ids import MAX_ID
from dal.statements import Param, Statement, house

__all__ = ["FilledIn", "explained", "fill_in", "find_statement", "reachable", "sample"]

_NULL: Final = "NULL"
_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
_ID: Final = UUID("01900000-0000-7000-8000-000000000000")


@attrs.frozen
class FilledIn:
    """A statement with a value for each parameter, and which of them nobody gave."""

    statement: Statement
    sql: str
    samples: tuple[str, ...]


def find_statement(name: str) -> Statement:
    """The statement ``table/method``; a path with sql/ and .sql, or a dot, is understood too.

    Raises:
        UsageError: there is none; the message has the names that are near.
    """
    wanted = name.removeprefix("sql/").removesuffix(".sql").replace(".", "/")
    statements = house().statements
    if wanted in statements:
        return statements[wanted]
    near = get_close_matches(wanted, statements, n=4, cutoff=0.4)
    near = near or [one for one in statements if wanted.rpartition("/")[2] in one][:4]
    hint = f"did you mean {', '.join(near)}?" if near else "sql/INDEX.md lists them"
    raise UsageError(f"no statement {wanted}; {hint}")


def fill_in(statement: Statement, texts: Mapping[str, str]) -> FilledIn:
    """The statement with the values of these texts, and samples where there is no text.

    Raises:
        UsageError: the statement has no such parameter.
        ValueRejectedError: a text is no value of the declared type.
    """
    declared = [param.name for param in statement.params]
    unknown = [name for name in texts if name not in declared]
    if unknown:
        raise UsageError(
            f"{statement.name} has no parameter {', '.join(unknown)};"
            f" it has: {', '.join(declared) or 'none'}"
        )
    lists = {p.param.name for p in statement.pieces if not isinstance(p, str) and p.many}
    values: dict[str, Any] = {}
    for param in statement.params:
        if param.name not in texts:
            value = sample(param)
            values[param.name] = [value] if param.name in lists else value
        elif param.name in lists:
            parts = texts[param.name].split(",")
            values[param.name] = [_parsed(param, part.strip()) for part in parts]
        else:
            values[param.name] = _parsed(param, texts[param.name])
    sql = statement.render(values).sql.decode()
    return FilledIn(statement, sql, tuple(name for name in declared if name not in texts))


def sample(param: Param) -> object:
    """A value of the parameter's type, of a size that real ones have."""
    if param.name.startswith("before_"):
        # The first page of a list: everything comes before the greatest key.
        if param.type.family == "binary":
            return MAX_ID
        if param.type.family == "temporal":
            return datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    base = param.type.base
    if base == "BINARY":
        return _ID if param.type.length == 16 else bytes(param.type.length or 0)
    if base == "DATE":
        return _TIME.date()
    if base == "BOOLEAN":
        return True
    if param.type.family == "text":
        return "sample"[: param.type.length]
    by_family: dict[str, object] = {
        "integer": 20 if "limit" in param.name else 1,
        "binary": b"sample",
        "temporal": _TIME,
        "decimal": Decimal(1),
        "float": 1.0,
        "json": {},
    }
    return by_family[param.type.family]


def _parsed(param: Param, text: str) -> object:
    """A value of the declared type; NULL where that may be null."""
    if text == _NULL and param.type.nullable:
        return None
    try:
        return _of_type(param, text)
    except (ValueError, InvalidOperation):
        raise ValueRejectedError(
            f"{param.name}: not a value of {param.type}", field=param.name
        ) from None


def _of_type(param: Param, text: str) -> object:
    base, family = param.type.base, param.type.family
    if family == "text":
        return text
    if family == "binary":
        if base == "BINARY" and param.type.length == 16:
            return UUID(text)
        return bytes.fromhex(text.removeprefix("0x"))
    if base == "BOOLEAN":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if base == "DATE":
        return date.fromisoformat(text)
    if family == "temporal":
        at = datetime.fromisoformat(text)
        # As in the database, where every time is UTC.
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    if family == "json":
        return json.loads(text)
    return {"integer": int, "decimal": Decimal, "float": float}[family](text)


@contextmanager
def reachable(url: str | None) -> Iterator[Config]:
    """How to connect to what a URL names, by the application's account on a private server.

    Raises:
        ConfigError: nothing to connect to, or the kept server does not run.
        ConnectError: a private server did not start.
    """
    address = parse(named(url))
    if not isinstance(address, PrivateAddress):
        yield address
    elif not address.temporary:
        yield attrs.evolve(kept_config(address.engine, address.role), **address.options)
    else:
        server, config = start_temporary(address.engine, address.role)
        try:
            yield attrs.evolve(config, **address.options)
        finally:
            server.stop()


def explained(config: Config, sql: str) -> tuple[str, list[dict[str, Any]]]:
    """The server's name with its version, and its plan for a statement, which is not run.

    Raises:
        ConnectError: the server cannot be reached.
        DalError: it refuses to explain, in its own words where they hold no value.
    """
    with closing(connect(config)) as connection, connection.cursor() as cursor:
        try:
            cursor.execute("SELECT VERSION()")
            version = str((cursor.fetchone() or ("?",))[0])
            cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {sql}")
            columns = [column[0] for column in cursor.description or ()]
            rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        except pymysql.Error as error:
            errno, text = errno_and_text(error)
            raise from_server(errno or 0, text) from None
    return f"{'' if 'mariadb' in version.lower() else 'MySQL '}{version}", rows
