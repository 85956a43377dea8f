"""Tables and statements of the fault tests, on each engine's shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dal.config import Config
from tests.faults.helpers import TABLES, Root, Sql, root_of, write_statements


def make_tables(root: Root, user: str) -> None:
    """The tables, empty but for the hundred numbers, and the application's right to use them."""
    for name, columns in TABLES.items():
        root.rows(f"DROP TABLE IF EXISTS {name}")
        root.rows(f"CREATE TABLE {name} ({columns})")
        root.rows(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO '{user}'@'localhost'")
    numbers = ", ".join(f"({n})" for n in range(100))
    root.rows(f"INSERT INTO tests_hundred VALUES {numbers}")


@pytest.fixture(scope="session")
def prepared(admin: Config, config: Config) -> Iterator[None]:
    with root_of(admin) as root:
        make_tables(root, config.user)
        yield
        for name in TABLES:
            root.rows(f"DROP TABLE {name}")


@pytest.fixture
def root(admin: Config, prepared: None) -> Iterator[Root]:
    """Root, with empty tables of the tests' own."""
    with root_of(admin) as root:
        for name in ("tests_rows", "tests_bulk"):
            root.rows(f"DELETE FROM {name}")
        yield root


@pytest.fixture(scope="session")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Sql:
    """The statements of the fault tests."""
    return Sql(write_statements(tmp_path_factory.mktemp("sql")))
