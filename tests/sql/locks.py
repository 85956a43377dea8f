"""The locks of a header are those that the server shows: MySQL's, since MariaDB shows none."""

from __future__ import annotations

from dal.statements import Handle
from tests.sql.values import hits
from tests.sql.worlds import World

_SHOW = b"""
SELECT DISTINCT CONCAT(LOCK_MODE, ' ', OBJECT_NAME, '.', INDEX_NAME) AS locked
FROM performance_schema.data_locks
WHERE THREAD_ID = PS_CURRENT_THREAD_ID() AND LOCK_TYPE = 'RECORD' AND OBJECT_SCHEMA = DATABASE()
"""


async def locks_of(world: World, handle: Handle) -> set[str]:
    """Mode, table and index of all that the statement locks when it does its work.

    Not what is let go at once, nor the rows that an INSERT made, which nobody else sees.
    """
    found: set[str] = set()
    for values in hits(handle.statement, world.factor):
        async with world.undone():
            await world.run(handle.statement.render(values).sql)
            found |= {str(row[0]) for row in (await world.run(_SHOW)).rows}
    return found


async def check_locks(world: World, handle: Handle) -> list[str]:
    """What the header says is locked, and nothing else, is, as far as the server shows it."""
    if world.engine != "mysql":
        return []
    said = handle.statement.header.locks
    declared = set() if said == "none" else {lock.strip() for lock in said.split(", ")}
    found = await locks_of(world, handle)
    if found == declared:
        return []
    return [f"locks: {', '.join(sorted(found)) or 'none'}; the header says {said}"]
