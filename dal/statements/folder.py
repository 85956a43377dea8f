"""A folder of .sql files as a library of typed handles."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from dal.errors import StatementError
from dal.statements.handles import Affected, Bulk, Find, Handle, LastId, Many, One, Value
from dal.statements.statement import Statement, compile_statement

__all__ = ["SqlFolder", "house", "house_root", "sql_folder"]

H = TypeVar("H", bound=Handle)
R = TypeVar("R")


class SqlFolder:
    """The statements below a folder: ``<table>/<method>.sql`` each, all read and checked at once.

    One name of a parameter means one thing in the whole folder, so it has one SQL type.
    """

    def __init__(self, root: Traversable) -> None:
        """Read every file.

        Raises:
            StatementError: the folder is not there or empty, or a file is wrong; every wrong file
                is in the message.
        """
        if not root.is_dir():
            raise StatementError(f"no such folder: {root}")
        found: dict[str, Statement] = {}
        wrong: list[str] = []
        for table in sorted((t for t in root.iterdir() if t.is_dir()), key=lambda t: t.name):
            for file in sorted(table.iterdir(), key=lambda f: f.name):
                if not file.name.endswith(".sql"):
                    continue
                name = f"{table.name}/{file.name.removesuffix('.sql')}"
                try:
                    found[name] = compile_statement(name, file.read_text(encoding="utf-8"))
                except StatementError as error:
                    wrong.append(error.message)
                except UnicodeDecodeError:
                    wrong.append(f"{name}: not UTF-8")
        wrong.extend(_double_meanings(found))
        if wrong:
            raise StatementError("\n".join(wrong))
        if not found:
            raise StatementError(f"no <table>/<method>.sql below {root}")
        self.statements: Mapping[str, Statement] = MappingProxyType(found)
        self._handles: dict[str, Handle] = {}

    @property
    def handles(self) -> Mapping[str, Handle]:
        """The handles that were asked for until now, by name of the statement."""
        return MappingProxyType(self._handles)

    def _take(self, handle: H) -> H:
        statement = handle.statement
        if statement.header.verb != handle.verb:
            raise StatementError(
                f"{statement.name}: returns: {statement.header.verb}, the handle is {handle.verb}",
                statement=statement.name,
            )
        self._handles[statement.name] = handle
        return handle

    def statement(self, name: str) -> Statement:
        """The statement of this name.

        Raises:
            StatementError: there is no such file.
        """
        try:
            return self.statements[name]
        except KeyError:
            raise StatementError(f"no such statement: {name}", statement=name) from None

    def one(self, name: str, record: type[R]) -> One[R]:
        """A handle for ``returns: one R``. StatementError where the file says otherwise."""
        return self._take(One(self.statement(name), record))

    def find(self, name: str, record: type[R]) -> Find[R]:
        """A handle for ``returns: find R``. StatementError where the file says otherwise."""
        return self._take(Find(self.statement(name), record))

    def many(self, name: str, record: type[R]) -> Many[R]:
        """A handle for ``returns: many R``. StatementError where the file says otherwise."""
        return self._take(Many(self.statement(name), record))

    def value(self, name: str, of: type[R]) -> Value[R]:
        """A handle for ``returns: value T``. StatementError where the file says otherwise."""
        return self._take(Value(self.statement(name), of))

    def affected(self, name: str) -> Affected:
        """A handle for ``returns: affected``. StatementError where the file says otherwise."""
        return self._take(Affected(self.statement(name)))

    def last_id(self, name: str) -> LastId:
        """A handle for ``returns: last_id``. StatementError where the file says otherwise."""
        return self._take(LastId(self.statement(name)))

    def bulk(self, name: str) -> Bulk:
        """A handle that inserts many rows. Raises StatementError where the file cannot."""
        return self._take(Bulk(self.statement(name)))


def _double_meanings(found: Mapping[str, Statement]) -> list[str]:
    """Parameters that have one type in one file and another in the next."""
    first: dict[str, tuple[str, str]] = {}
    wrong = []
    for name, statement in found.items():
        for param in statement.params:
            kind = str(param.type).removesuffix(" NULL")
            seen_kind, seen_in = first.setdefault(param.name, (kind, name))
            if seen_kind != kind:
                wrong.append(f"{name}: {param.name} is {kind}, in {seen_in} it is {seen_kind}")
    return wrong


def sql_folder(path: str | Path) -> SqlFolder:
    """The statements of your own folder, with the same handles, checks and sessions as ours.

    Raises:
        StatementError: the folder or a file in it is wrong.
    """
    return SqlFolder(Path(path))


def house_root(packaged: str, beside: str) -> Traversable:
    """A data folder of this package: inside a wheel, or beside ``dal/`` in a checkout.

    An editable install does not resolve the mapping of folders, so both places are looked at.

    Raises:
        StatementError: it is in neither place.
    """
    inside = files("dal") / packaged
    if inside.is_dir():
        return inside
    checkout = Path(__file__).resolve().parents[2] / beside
    if checkout.is_dir():
        return checkout
    raise StatementError(f"neither dal/{packaged} nor {beside}/ is there: the install is broken")


@cache
def house() -> SqlFolder:
    """The statements of this package itself."""
    return SqlFolder(house_root("_sql", "sql"))
