"""A database full of rows that are the same each time, at the size that is asked for.

For measuring: 1 is small, 10 is ten times each table that grows. Numbers stand for rows, and what a
row is like follows from its number; so a test can say which rows a statement must find. A module an
aggregate, one function a table: a new table is one function more, and its place in ``TABLES``.
"""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from dal.provision import connect
from tests.fill import audit, conversations, sizes, templates, usage, users, vocabulary
from tests.fill.audit import *  # noqa: F403
from tests.fill.conversations import *  # noqa: F403
from tests.fill.sizes import *  # noqa: F403
from tests.fill.templates import *  # noqa: F403
from tests.fill.usage import *  # noqa: F403
from tests.fill.users import *  # noqa: F403
from tests.fill.vocabulary import *  # noqa: F403

if TYPE_CHECKING:
    from dal.config import Config

__all__ = ["TABLES", "fill"]
__all__ += audit.__all__
__all__ += conversations.__all__
__all__ += sizes.__all__
__all__ += templates.__all__
__all__ += usage.__all__
__all__ += users.__all__
__all__ += vocabulary.__all__

_CHUNK_ROWS: Final = 1_000
TABLES: Final[sizes.Tables] = {
    **users.TABLES,
    **vocabulary.TABLES,
    **templates.TABLES,
    **conversations.TABLES,
    **usage.TABLES,
    **audit.TABLES,
}


def _stored(value: object) -> Any:
    """As the blocking driver takes it."""
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, StrEnum):
        return value.value
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def fill(admin: Config, factor: int) -> None:
    """Fill the empty tables of the current database, and analyse them.

    Statistics stay as they are then only where the server does not recalculate them by itself, as
    the private servers do not.

    Raises:
        ConnectError: the server cannot be reached.
    """
    with closing(connect(admin)) as connection, connection.cursor() as cursor:
        for table, rows_at in TABLES.items():
            made = list(rows_at(factor))
            columns = tuple(made[0])
            places = ", ".join(["%s"] * len(columns))
            insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
            rows = [tuple(_stored(row[column]) for column in columns) for row in made]
            connection.begin()
            for start in range(0, len(rows), _CHUNK_ROWS):
                cursor.executemany(insert, rows[start : start + _CHUNK_ROWS])
            connection.commit()
        cursor.execute(f"ANALYZE TABLE {', '.join(TABLES)}")
