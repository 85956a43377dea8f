"""Files, gateways and tests of gateways: one of each for each of the others, and they agree."""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

import dal.gateways
from dal.session import Executor
from dal.statements import Bulk, Handle, Param, house
from dal.statements.statement import Place
from dal.testing.index import callers_of_gateways, index_text
from tests.sql.text_rules import meaning_faults, text_faults

ROOT = Path(__file__).parents[2]
STATEMENTS = dict(house().statements)
all_statements = pytest.mark.parametrize("name", sorted(STATEMENTS))

_PYTHON: Mapping[str, type] = {
    "integer": int,
    "text": str,
    "temporal": datetime,
}


def _gateway(table: str) -> Any:
    return getattr(dal.gateways, "".join(map(str.title, table.split("_"))) + "Gateway")


def _public_methods(of: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(of, inspect.isfunction) if name[0] != "_"}


class _Asked:
    """In an executor's place: what a gateway asks it for."""

    handle: Handle
    verb: str
    values: Mapping[str, object]

    def __getattr__(self, verb: str) -> Any:
        async def ask(handle: Handle, *rows: object, **values: object) -> None:
            self.handle, self.verb = handle, verb
            self.values = {"rows": rows[0]} if rows else values

        return ask


def _is_list(param: Param, name: str) -> bool:
    pieces = STATEMENTS[name].pieces
    return any(isinstance(p, Place) and p.param == param and p.many for p in pieces)


def _type_faults(name: str, param: Param, hint: object) -> list[str]:
    wanted: Any = _PYTHON.get(param.type.family)
    if param.type.family == "binary":
        wanted = UUID if param.type.length == 16 else bytes
    if param.type.base == "BOOLEAN":
        wanted = bool
    if param.type.family == "json":
        return [] if hint == Mapping[str, object] else [f"{param.name}: {param.type}, and {hint}"]
    members = set(typing.get_args(hint)) or {hint}
    if _is_list(param, name):
        return [] if hint == Sequence[wanted] else [f"{param.name}: {hint}, not Sequence[{wanted}]"]
    if param.type.nullable != (type(None) in members):
        return [f"{param.name}: {param.type}, and {hint}"]
    (plain,) = members - {type(None)}
    is_enum = wanted is str and isinstance(plain, type) and issubclass(plain, StrEnum)
    return [] if plain is wanted or is_enum else [f"{param.name}: {param.type}, and {hint}"]


def _return_hint(handle: Handle) -> object:
    record: Any = getattr(handle, "record", int)
    is_list, may_be_none = handle.verb == "many", handle.verb in ("find", "last_id")
    if is_list:
        return types.GenericAlias(list, (record,))
    return record | None if may_be_none else record


def test_each_file_is_a_method_of_its_tables_gateway() -> None:
    in_files = set(STATEMENTS)
    in_gateways = set()
    for table in {name.partition("/")[0] for name in in_files}:
        in_gateways |= {f"{table}/{method}" for method in _public_methods(_gateway(table))}
    assert in_gateways == in_files
    tables = {name.partition("/")[0] for name in in_files}
    assert {_gateway(table).__name__ for table in tables} == set(dal.gateways.__all__)


def test_each_table_has_a_test_of_its_gateway() -> None:
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests/gateways").glob("test_*")}
    assert {name.partition("/")[0] for name in STATEMENTS} <= tested


@all_statements
async def test_the_method_gives_its_parameters_to_its_file(name: str) -> None:
    table, _, method = name.partition("/")
    asked = _Asked()
    call = getattr(_gateway(table)(cast(Executor, asked)), method)
    hints = typing.get_type_hints(call)
    given = hints.pop("return")
    handle = house().handles[name]
    if isinstance(handle, Bulk):
        rows: list[Mapping[str, object]] = []
        await call(rows)
        assert asked.verb == "insert_many"
        assert asked.values == {"rows": rows}
        assert hints == {"rows": Iterable[Mapping[str, object]]}
    else:
        values = {parameter: object() for parameter in hints}
        await call(**values)
        assert asked.verb == handle.verb
        assert asked.values == values
        params = STATEMENTS[name].params
        assert set(hints) == {param.name for param in params}
        assert [f for p in params for f in _type_faults(name, p, hints[p.name])] == []
    assert asked.handle.name == name
    assert asked.handle.statement is STATEMENTS[name]
    assert given == _return_hint(handle)


@all_statements
def test_the_text_keeps_the_rules_of_the_house(name: str) -> None:
    assert text_faults(STATEMENTS[name]) == []


def test_a_name_means_one_thing() -> None:
    assert meaning_faults(STATEMENTS) == []


def test_every_method_of_a_gateway_has_a_caller() -> None:
    called = callers_of_gateways(ROOT / "dal/repositories")
    assert set(STATEMENTS) - called.keys() == set()


def test_the_gateways_hold_no_sql() -> None:
    """A statement is a file: no text of one hides in a gateway or a repository."""
    for path in [*ROOT.glob("dal/gateways/*.py"), *ROOT.glob("dal/repositories/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                first = node.value.strip().partition(" ")[0]
                assert first not in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"), path


def test_the_index_is_what_the_headers_say() -> None:
    schema = (ROOT / "sql/schema.sql").read_text(encoding="utf-8")
    text = index_text(house(), schema, ROOT / "dal/repositories")
    assert (ROOT / "sql/INDEX.md").read_text(encoding="utf-8") == text, "run scripts/index"
