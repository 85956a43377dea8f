"""A database of its own, where a machine knows every row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

import attrs
import pytest

import dal
from dal.config import Config
from dal.provision import connect, prepare_temporary
from dal.server import PrivateServer

# What the migrations keep for themselves.
_KEPT: Final = {"dal_migrations", "yoyo_lock", "_yoyo_log", "_yoyo_migration", "_yoyo_version"}


@attrs.frozen
class Own:
    """A database that nobody else uses: as the application, and as root."""

    config: Config
    ask: Callable[..., list[tuple[Any, ...]]]
    tables: tuple[str, ...]

    def empty(self) -> None:
        """Take every row away."""
        # All of them go, so no parent is missed.
        self.ask("SET foreign_key_checks = 0")
        for table in self.tables:
            self.ask(f"DELETE FROM {table}")
        self.ask("SET foreign_key_checks = 1")


@pytest.fixture(scope="session")
def own(server: PrivateServer) -> Iterator[Own]:
    accounts = prepare_temporary(server, "machines")
    admin = dal.config.parse(server.admin_url("machines"))
    assert isinstance(admin, Config)
    with closing(connect(admin)) as connection:

        def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall())

        tables = {name for (name,) in ask("SHOW TABLES")} - _KEPT
        yield Own(
            accounts.config("dal_application", database="machines"), ask, tuple(sorted(tables))
        )
