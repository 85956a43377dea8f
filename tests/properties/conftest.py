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

_TABLES: Final = (
    "template_tags", "template_versions", "templates", "tags", "categories", "users", "audit_logs",
)  # fmt: skip


@attrs.frozen
class Own:
    """A database that nobody else uses: as the application, and as root."""

    config: Config
    ask: Callable[..., list[tuple[Any, ...]]]

    def empty(self) -> None:
        """Take every row away, children first."""
        for table in _TABLES:
            self.ask(f"DELETE FROM {table}")


@pytest.fixture(scope="session")
def own(server: PrivateServer) -> Iterator[Own]:
    accounts = prepare_temporary(server, "machines")
    admin = dal.config.parse(server.admin_url("machines"))
    assert isinstance(admin, Config)
    with closing(connect(admin)) as connection:

        def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                found = list(cursor.fetchall())
            connection.commit()
            return found

        yield Own(accounts.config("dal_application", database="machines"), ask)
