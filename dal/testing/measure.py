"""What a statement really costs: rows fetched by index, and the plan.

``performance_schema`` counts each row that is fetched from a table, by the index it was found with.
That number is the same on both servers and does not count temporary tables; ``Handler_read_*``
differs as soon as something is sorted.
"""

from __future__ import annotations

import ast
import operator
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import attrs

from dal.errors import StatementError

if TYPE_CHECKING:
    from dal.session.connection import Connection

__all__ = ["PlanStep", "budget", "counting", "explain", "full_scans", "keys_used", "total"]

_FETCHED: Final = """
    SELECT OBJECT_NAME, COALESCE(INDEX_NAME, ''), COUNT_FETCH
    FROM performance_schema.table_io_waits_summary_by_index_usage
    WHERE OBJECT_SCHEMA = DATABASE() AND COUNT_FETCH > 0"""
# Where the rows of an INSERT .. SELECT go to: MySQL shows that table in front of those it reads.
_TARGETS: Final = frozenset({"INSERT", "REPLACE"})


async def _fetched(connection: Connection) -> Counter[tuple[str, str]]:
    result = await connection.run(_FETCHED.encode())
    return Counter({(str(t), str(index)): int(n or 0) for t, index, n in result.rows})


@asynccontextmanager
async def counting(connection: Connection) -> AsyncIterator[Counter[tuple[str, str]]]:
    """Rows fetched from the current database while the block ran, by table and index.

    The index is empty where no index was used. Filled when the block ends. Nobody else may be
    using the database meanwhile.
    """
    found: Counter[tuple[str, str]] = Counter()
    before = await _fetched(connection)
    yield found
    found.update(await _fetched(connection) - before)


def total(fetched: Mapping[tuple[str, str], int]) -> int:
    """The rows fetched from all tables together."""
    return sum(fetched.values())


@attrs.frozen(slots=True)
class PlanStep:
    """A row of EXPLAIN. ``access`` is its ``type``: const, eq_ref, ref, range, index, ALL ..."""

    select_type: str
    table: str
    access: str
    keys: tuple[str, ...]
    extra: str


def _recursive_aliases(sql: bytes) -> set[str]:
    """What a statement calls the tables that it makes itself by WITH RECURSIVE."""
    names = re.findall(rb"WITH RECURSIVE (\w+)", sql)
    return {
        alias.decode() for name in names for alias in re.findall(rb"\b" + name + rb" AS (\w+)", sql)
    }


async def explain(connection: Connection, sql: bytes) -> tuple[PlanStep, ...]:
    """The plan of a statement with values that exist: an absent one plans as if it had no key.

    Raises:
        DalError: the server refuses the statement.
    """
    result = await connection.run(b"EXPLAIN FORMAT=TRADITIONAL " + sql)
    steps, own = [], _recursive_aliases(sql)
    for row in result.rows:
        said = {c: "" if v is None else str(v) for c, v in zip(result.columns, row, strict=True)}
        if said["select_type"] in _TARGETS or not said["table"] or said["table"].startswith("<"):
            continue
        # What a recursion has found so far is read whole each time, on purpose.
        if said["table"] in own:
            continue
        # An index merge names several; MariaDB shows "key|filter" where it filters by row ids.
        keys = tuple(key for key in said["key"].replace("|", ",").split(",") if key)
        steps.append(
            PlanStep(said["select_type"], said["table"], said["type"], keys, said["Extra"])
        )
    return tuple(steps)


def keys_used(plan: tuple[PlanStep, ...]) -> frozenset[str]:
    """Every key of the plan, in whichever part of the statement."""
    return frozenset(key for step in plan for key in step.keys)


def full_scans(plan: tuple[PlanStep, ...]) -> list[str]:
    """The tables that are read from one end to the other, or whose whole index is."""
    return [step.table for step in plan if step.access in ("ALL", "index")]


_OPERATORS: Final[Mapping[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def budget(reads: str, **numbers: int) -> int | None:
    """How many rows a statement may fetch by its header's ``reads``; None for ``n/a: why``.

    The grammar: whole numbers and the names in ``numbers``, joined by ``+``, ``-`` and ``*``.

    Raises:
        StatementError: not in this grammar.
    """
    if reads.startswith("n/a: "):
        return None
    try:
        return _value(ast.parse(reads, mode="eval").body, numbers)
    except (SyntaxError, KeyError):
        raise StatementError(
            f"reads: {', '.join(numbers)} and whole numbers with + - *, or n/a: why; not {reads!r}"
        ) from None


def _value(node: ast.expr, numbers: Mapping[str, int]) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return numbers[node.id]
    if isinstance(node, ast.BinOp):
        made = _OPERATORS[type(node.op)]
        return made(_value(node.left, numbers), _value(node.right, numbers))
    raise KeyError(ast.dump(node))
