"""What the tests of this folder share beside fixtures."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dal.migrate import Migrator
from dal.provision import connect

if TYPE_CHECKING:
    from dal.config import Config

ROOT = Path(__file__).resolve().parents[2]


class Folder:
    """A folder of migrations that a test fills."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, name: str, sql: str, rollback: str | None) -> str:
        """Write a migration; its id."""
        (self.path / f"{name}.sql").write_text(
            "-- transactional: false\n-- ddl: mariadb: none\n-- ddl: mysql: none\n" + sql + "\n"
        )
        if rollback is not None:
            down = self.path / f"{name}.rollback.sql"
            down.write_text(f"-- transactional: false\n{rollback}\n")
        return name

    def migrator(self, config: Config, **options: Any) -> Migrator:
        return Migrator(config, folder=self.path, **options)


def rows(config: Config, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a statement, on a connection of its own."""
    with closing(connect(config)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def tables(config: Config) -> set[str]:
    return {name for (name,) in rows(config, "SHOW TABLES")}
