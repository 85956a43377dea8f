"""Gateways, written from the headers of the statements: one thin class a table.

``sql/users/find_by_id.sql`` becomes ``UsersGateway.find_by_id``, with the file's parameters by
their names and types. The text is what ruff's formatter leaves as it is, at 100 columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from dal.errors import StatementError
from dal.statements import SqlFolder, Statement
from dal.statements.header import Param
from dal.statements.statement import Place

__all__ = [
    "Source",
    "gateway_class_name",
    "gateway_module",
    "gateway_package",
    "records_of",
    "tables_of",
]

_WIDTH: Final = 100
# Family of a parameter -> its type in Python.
_FAMILIES: Final[Mapping[str, str]] = {
    "integer": "int",
    "text": "str",
    "temporal": "datetime",
    "decimal": "Decimal",
    "json": "Mapping[str, object]",
}
# What stands in a signature -> where it is imported from.
_MODULES: Final[Mapping[str, str]] = {
    "Iterable": "collections.abc",
    "Mapping": "collections.abc",
    "Sequence": "collections.abc",
    "date": "datetime",
    "datetime": "datetime",
    "Decimal": "decimal",
    "UUID": "uuid",
}
_BUILT_IN: Final = frozenset({"int", "str", "bool", "float", "bytes"})


@attrs.frozen(slots=True)
class Source:
    """Where what is written finds the statements and the records.

    ``folder`` is the expression of the :class:`SqlFolder`, of names that ``imports`` brings in, or
    ``preamble``, which stands before the handles; ``records`` says in which module each record is,
    ``executor`` what runs the statements, and in which module that is.
    """

    folder: str
    imports: tuple[str, ...]
    records: Mapping[str, str]
    executor: tuple[str, str] = ("dal.session", "Executor")
    preamble: tuple[str, ...] = ()


def gateway_class_name(table: str) -> str:
    """``template_tags`` -> ``TemplateTagsGateway``."""
    return "".join(map(str.title, table.split("_"))) + "Gateway"


def is_bulk(statement: Statement) -> bool:
    """Whether it is sent with many rows: an INSERT of one row of VALUES whose name says so."""
    return statement.bulk is not None and statement.name.endswith("_many")


def _python_type(statement: Statement, param: Param) -> str:
    plain = _FAMILIES.get(param.type.family)
    if param.type.base == "BOOLEAN":
        plain = "bool"
    elif param.type.family == "binary":
        plain = "UUID" if param.type.length == 16 else "bytes"
    if plain is None:
        raise StatementError(f"{statement.name}: {param.name}: {param.type} has no type in Python")
    if any(isinstance(p, Place) and p.many and p.param == param for p in statement.pieces):
        return f"Sequence[{plain}]"
    return f"{plain} | None" if param.type.nullable else plain


def _result(statement: Statement) -> str:
    record = statement.header.record
    return {
        "one": f"{record}",
        "find": f"{record} | None",
        "many": f"list[{record}]",
        "value": f"{record}",
        "affected": "int",
        "last_id": "int | None",
    }[statement.header.verb]


def _call(head: str, arguments: Sequence[str], tail: str, indent: int) -> list[str]:
    """``head(arguments)tail``: on one line, with the arguments on one, or with one a line."""
    space, joined = " " * indent, ", ".join(arguments)
    if indent + len(head) + len(joined) + len(tail) + 2 <= _WIDTH:
        return [f"{space}{head}({joined}){tail}"]
    if indent + 4 + len(joined) <= _WIDTH:
        return [f"{space}{head}(", f"{space}    {joined}", f"{space}){tail}"]
    rows = [f"{space}    {argument}{',' * (argument != '*')}" for argument in arguments]
    if "*" in arguments:
        rows = [f"{space}    {argument}," for argument in arguments]
    return [f"{space}{head}(", *rows, f"{space}){tail}"]


def _method(statement: Statement) -> list[str]:
    name = statement.name.partition("/")[2]
    handle = f"_{name.upper()}"
    if is_bulk(statement):
        signature = ["self", "rows: Iterable[Mapping[str, object]]"]
        verb, arguments = "insert_many", [handle, "rows"]
    else:
        typed = [f"{p.name}: {_python_type(statement, p)}" for p in statement.params]
        signature = ["self", "*", *typed] if typed else ["self"]
        verb = statement.header.verb
        arguments = [handle, *(f"{p.name}={p.name}" for p in statement.params)]
    lines = _call(f"async def {name}", signature, f" -> {_result(statement)}:", 4)
    if verb == "one":
        lines += [
            f'        """{statement.header.summary}',
            "",
            "        Raises:",
            "            NotFoundError: there is no such row.",
            '        """',
        ]
    else:
        lines.append(f'        """{statement.header.summary}"""')
    return lines + _call(f"return await self.executor.{verb}", arguments, "", 8)


def _handle(statement: Statement, source: Source) -> list[str]:
    name = statement.name.partition("/")[2]
    verb = "bulk" if is_bulk(statement) else statement.header.verb
    record = [] if statement.header.record is None else [statement.header.record]
    arguments = [f'"{statement.name}"', *record]
    return _call(f"_{name.upper()} = {source.folder}.{verb}", arguments, "", 0)


def _imports(statements: Iterable[Statement], source: Source) -> list[str]:
    """The import lines, as ruff sorts them."""
    module, name = source.executor
    found: dict[str, set[str]] = {module: {name}}

    def add(name: str) -> None:
        if name in _BUILT_IN:
            return
        module = _MODULES.get(name) or source.records.get(name)
        if module is None:
            raise StatementError(f"returns: no module has the record {name}")
        found.setdefault(module, set()).add(name)

    for statement in statements:
        if statement.header.record is not None:
            add(statement.header.record)
        if is_bulk(statement):
            add("Iterable")
            add("Mapping")
            continue
        for param in statement.params:
            kind = _python_type(statement, param)
            for name in kind.replace("[", " ").replace("]", " ").replace(",", " ").split():
                if name not in ("|", "None", "object"):
                    add(name)
    standard = {m: found.pop(m) for m in list(found) if m in _MODULES.values()}
    if source.preamble:
        standard["pathlib"] = {"Path"}
    ours = [*_import_lines(found), *source.imports]
    ours.sort(key=lambda line: (line.startswith("from"), line.split()[1]))
    return [
        *_import_lines(standard),
        *([""] if standard else []),
        "import attrs",
        "",
        *ours,
    ]


def _import_lines(modules: Mapping[str, set[str]]) -> list[str]:
    lines = []
    for module in sorted(modules):
        names = sorted(modules[module], key=str.lower)
        line = f"from {module} import {', '.join(names)}"
        if len(line) > _WIDTH:
            line = "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])
        lines.append(line)
    return lines


def _class(table: str, statements: Sequence[Statement], executor: str) -> list[str]:
    lines = [
        "@attrs.frozen(slots=True)",
        f"class {gateway_class_name(table)}:",
        f'    """A method per file of ``sql/{table}/``."""',
        "",
        f"    executor: {executor}",
    ]
    for statement in statements:
        lines += ["", *_method(statement)]
    return lines


def _of_table(folder: SqlFolder, table: str) -> list[Statement]:
    named = folder.statements.items()
    return [statement for name, statement in named if name.partition("/")[0] == table]


def tables_of(folder: SqlFolder) -> list[str]:
    """The tables that the folder has files of."""
    return sorted({name.partition("/")[0] for name in folder.statements})


def records_of(folder: SqlFolder) -> list[str]:
    """The records that the folder's statements return, by their names."""
    named = {s.header.record for s in folder.statements.values() if s.header.record is not None}
    return sorted(named - _BUILT_IN - _MODULES.keys())


def gateway_module(folder: SqlFolder, tables: Sequence[str], source: Source) -> str:
    """The module with the gateways of these tables.

    Raises:
        StatementError: a record is in no module, or a parameter has no type in Python.
    """
    statements = [statement for table in tables for statement in _of_table(folder, table)]
    names = sorted(map(gateway_class_name, tables))
    said = f"table {tables[0]}" if len(tables) == 1 else f"tables {', '.join(tables)}"
    lines = [f'"""The {said}. Written from the .sql files: edit those."""', ""]
    lines += ["from __future__ import annotations", "", *_imports(statements, source), ""]
    lines += _all(names)
    if source.preamble:
        lines += ["", *source.preamble]
    for table in tables:
        own = _of_table(folder, table)
        lines.append("")
        for statement in own:
            lines += _handle(statement, source)
        lines += ["", "", *_class(table, own, source.executor[1])]
        if table != tables[-1]:
            lines.append("")
    return "\n".join(lines) + "\n"


def _all(names: Sequence[str]) -> list[str]:
    joined = f"__all__ = [{', '.join(f'{chr(34)}{name}{chr(34)}' for name in names)}]"
    if len(joined) <= _WIDTH:
        return [joined]
    return ["__all__ = [", *(f'    "{name}",' for name in names), "]"]


def gateway_package(tables: Sequence[str], package: str) -> str:
    """The ``__init__`` of a package with a module a table."""
    modules = sorted((f"{package}.{table}", gateway_class_name(table)) for table in tables)
    lines = [
        '"""Gateways: a class a table, a method a .sql file. No rule lives here.',
        "",
        "``sql/users/find_by_id.sql`` is ``UsersGateway.find_by_id``, with the file's parameters by"
        " their",
        "names. Written from the files: edit those.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        *(f"from {module} import {name}" for module, name in modules),
        "",
        *_all(sorted(name for _, name in modules)),
    ]
    return "\n".join(lines) + "\n"
