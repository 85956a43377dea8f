"""Promises that a small table cannot break, on servers with room for 10^6 rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

__all__ = ["ROOMY", "copy_rows"]

ROOMY: Final = (
    "--innodb-buffer-pool-size=512M",
    "--innodb-doublewrite=OFF",
    # MySQL's name of it; MariaDB leaves it.
    "--loose-innodb-redo-log-capacity=1G",
)
"""Options of a server that such a table is loaded into: what is measured is rows, not disks."""


def copy_rows(cursor: Cursor, table: str, changed: Mapping[str, str], where: str) -> int:
    """Copy rows of a table within it, with other values in some columns; how many.

    What the application wrote once is many times faster copied by the server than written again.

    Args:
        changed: column -> SQL of its new value.
        where: which rows.
    """
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
        " AND table_name = %s AND COALESCE(generation_expression, '') = ''"
        " ORDER BY ordinal_position",
        (table,),
    )
    columns = [name for (name,) in cursor.fetchall()]
    assert set(changed) <= set(columns), f"{table}: {set(changed) - set(columns)}"
    values = ", ".join(changed.get(name, name) for name in columns)
    copied: int = cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {where}"
    )
    return copied
