"""``dal explain``."""

from __future__ import annotations

import os
from typing import Annotated, Any

from cyclopts import Parameter

from dal.cli import output
from dal.cli.options import Json, Url
from dal.cli.plans import FilledIn, explained, fill_in, find_statement, reachable
from dal.errors import UsageError

__all__ = ["explain"]

_COLUMNS = ("id", "select_type", "table", "type", "key", "key_len", "ref", "rows", "Extra")


def explain(
    name: str,
    /,
    *,
    param: Annotated[
        tuple[str, ...],
        Parameter(name="--param", negative="", consume_multiple=True, show_default=False),
    ] = (),
    plan: Annotated[bool, Parameter(negative="--no-plan")] = True,
    url: Url = None,
    json_: Json = False,
    **values: Annotated[str, Parameter(help="The same as --param: --actor-id UUID.")],
) -> int:
    """Print a statement of sql/ with its values filled in, ready to paste, and its plan.

    Nothing is run but EXPLAIN FORMAT=TRADITIONAL, for a statement that writes too. A parameter
    without a value gets a sample of its type, and is named; a plan worth trusting takes values that
    exist. Without a server the statement alone is printed.

    Args:
        name: As its file: templates/list_own.
        param: NAME=VALUE, several or repeated: a UUID, a time in ISO 8601 (UTC unless it says
            otherwise), a number, text; NULL; a list for IN with commas; bytes in hexadecimal.
        plan: Ask the server for its plan.
    """
    statement = find_statement(name)
    filled = fill_in(statement, _texts(param, values))
    server: str | None = None
    rows: list[dict[str, Any]] | None = None
    if plan and (url is not None or os.environ.get("DAL_URL")):
        with reachable(url) as config:
            server, rows = explained(config, filled.sql)
    if json_:
        _print_json(filled, server, rows)
        return 0
    _print(filled, server, rows, asked=plan)
    return 0


def _texts(pairs: tuple[str, ...], values: dict[str, str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    given = [*(pair.partition("=") for pair in pairs), *((k, "=", v) for k, v in values.items())]
    for key, equals, value in given:
        name = key.strip().replace("-", "_")
        if not equals:
            raise UsageError(f"--param {key}: NAME=VALUE is required")
        if name in texts:
            raise UsageError(f"{name}: given twice")
        texts[name] = value
    return texts


def _print_json(filled: FilledIn, server: str | None, rows: list[dict[str, Any]] | None) -> None:
    header = filled.statement.header
    output.print_json(
        {
            "name": filled.statement.name,
            "summary": header.summary,
            "access": header.access,
            "deleted": header.deleted,
            "index": header.index,
            "reads": header.reads,
            "locks": header.locks,
            "params": [
                {
                    "name": one.name,
                    "type": str(one.type),
                    "meaning": one.meaning,
                    "sample": one.name in filled.samples,
                }
                for one in header.params
            ],
            "sql": filled.sql,
            "server": server,
            "plan": rows,
        }
    )


def _print(
    filled: FilledIn, server: str | None, rows: list[dict[str, Any]] | None, *, asked: bool
) -> None:
    header = filled.statement.header
    output.say(f"-- {header.summary}")
    for key in ("access", "deleted", "index", "reads", "locks"):
        output.say(f"-- {f'{key}:':<9}{getattr(header, key)}")
    for one in header.params:
        mark = "  (sample value)" if one.name in filled.samples else ""
        output.say(f"-- param:   {one.name} {one.type}  {one.meaning}{mark}")
    output.say(f"{filled.sql};")
    if rows is None:
        if asked:
            output.note("no plan: give a server by --url or DAL_URL")
        return
    output.say()
    output.say(f"-- plan on {server}")
    output.table(_COLUMNS, [[row.get(column) for column in _COLUMNS] for row in rows])
    if any("impossible" in str(row.get("Extra")).lower() for row in rows):
        output.note("the server knows that no row has these values: give ones that exist")
