"""What the server says when it refuses, and what that means to a migrator."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pymysql

from dal.errors import MigrationError
from dal.provision import errno_and_text

if TYPE_CHECKING:
    from collections.abc import Iterator

# A DDL statement that was cut off by the death of its migrator is either done or not done at all.
# Told to do it again, the server says by one of these that it is done: there is that table,
# column, key or constraint; there is nothing to drop.
DONE_ALREADY: Final = frozenset({1050, 1051, 1060, 1061, 1091, 1826, 3822})
CONNECTION_LOST: Final = frozenset({None, 1053, 1927, 2006, 2013})


@contextmanager
def said_by_server(what: str) -> Iterator[None]:
    """Turn the driver's errors into ours, with the server's number and words."""
    try:
        yield
    except pymysql.Error as error:
        errno, text = errno_and_text(error)
        raise MigrationError(f"{what}: {text}", errno=errno) from error
