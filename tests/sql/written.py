"""What a statement changes: these columns of this row, to these values, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from dal.statements import Handle, Statement
from tests.sql.aggregates import together
from tests.sql.aggregates.common import Values
from tests.sql.values import hits, raw, selecting
from tests.sql.worlds import World

# The row that a statement is about, by its name or its table.
_ROWS: Final[Mapping[str, str]] = together("rows")
# Made by the server of the other columns.
_GENERATED: Final = frozenset({"email_live", "owned_id", "rating_rank"})
# Two texts of it may be the same.
_DOCUMENTS: Final = frozenset({"context", "preferences", "settings"})
# Statement -> columns and what they are then, but for those that a parameter is named after; every
# UPDATE is here.
WRITTEN: Final[Mapping[str, Callable[[Values], Values]]] = together("written")


def is_update(statement: Statement) -> bool:
    """Whether the statement changes rows that are there."""
    return statement.sql.startswith("UPDATE") or "ON DUPLICATE KEY UPDATE" in statement.sql


async def _row(world: World, statement: Statement, values: Values) -> Values:
    """The columns of the row, by name; none where there is no row."""
    sql = _ROWS.get(statement.name) or _ROWS[statement.name.partition("/")[0]]
    for param in statement.params:
        if f":{param.name}" in sql:
            sql = sql.replace(f":{param.name}", param.type.literal(values[param.name], param.name))
    answer = await world.run(sql)
    if not answer.rows:
        return {}
    columns = dict(zip(answer.columns, answer.rows[0], strict=True))
    return {name: value for name, value in columns.items() if name not in _GENERATED}


async def check_written(world: World, handle: Handle) -> list[str]:
    """The columns that are said, and no others, are what they are to be."""
    statement, expected = handle.statement, WRITTEN.get(handle.name)
    if expected is None:
        return ["nobody says what it writes"] if is_update(statement) else []
    faults = []
    for values in hits(statement, world.factor):
        async with world.undone():
            before = await _row(world, statement, values)
            await world.run(statement.render(values).sql)
            after = await _row(world, statement, values)
        # A parameter that chooses no row is written to the column of its name, if there is one.
        named = {n: v for n, v in values.items() if n in after and n not in selecting(statement)}
        said = {**named, **expected(values)}
        wanted = {**before, **{name: raw(value) for name, value in said.items()}}
        for name in wanted.keys() | after.keys():
            should, found = wanted.get(name), after.get(name)
            if name in _DOCUMENTS and isinstance(should, str) and isinstance(found, str):
                should, found = json.loads(should), json.loads(found)
            if should != found:
                faults.append(f"{name} is {found!r}, and should be {should!r}")
    return faults
