"""The server's own view of its tables, and the real data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from dal.config import Config
from dal.provision import connect

Rows = list[tuple[Any, ...]]
Root = Callable[..., Rows]


@pytest.fixture(scope="session")
def root(admin: Config) -> Iterator[Root]:
    """Any statement as root: what the tables hold, whatever our own statements say."""
    with closing(connect(admin)) as connection:

        def ask(sql: str, *values: object) -> Rows:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall())

        yield ask
