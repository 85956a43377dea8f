"""The files themselves, and that the lint finds each fault. No server."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from yoyo.migrations import read_sql_migration

from dal.errors import ConfigError
from dal.migrate import check_files
from dal.provision import packaged, statements_of
from tests.migrations.helpers import ROOT
from tests.migrations.test_migrator import EVERY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAST = EVERY[-1]
UP = "0002.create-categories.sql"
DOWN = "0002.create-categories.rollback.sql"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(ROOT / "migrations", tmp_path / "migrations")


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return plant


def added(name: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        (folder / name).write_text("-- transactional: false\nSELECT 1;\n")

    return plant


def renamed(old: str, new: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        for end in (".sql", ".rollback.sql"):
            (folder / f"{old}{end}").rename(folder / f"{new}{end}")

    return plant


def test_the_files_are_without_fault() -> None:
    assert check_files(ROOT / "migrations") == []


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (replaced(UP, "-- transactional: false\n", ""), f"{UP}: the first line is not"),
        (replaced(DOWN, "-- transactional: false\n", ""), f"{DOWN}: the first line is not"),
        (replaced(UP, ";", "; CREATE TABLE b (id INT);"), f"{UP}: 2 statements"),
        (replaced(DOWN, ";", "; DROP TABLE b;"), f"{DOWN}: 2 statements"),
        (replaced(DOWN, "DROP TABLE categories;", ""), f"{DOWN}: 0 statements"),
        (replaced(UP, "-- ddl: mariadb:", "-- dll: mariadb:"), f"{UP}: no line `-- ddl: mariadb"),
        (replaced(UP, "-- ddl: mysql:", "-- dll: mysql:"), f"{UP}: no line `-- ddl: mysql"),
        (
            replaced(UP, "-- ddl: mysql: new table, no rows to copy", "-- ddl: mysql:  "),
            f"{UP}: no line `-- ddl: mysql",
        ),
        (lambda folder: (folder / DOWN).unlink(), f"{UP}: there is no {DOWN}"),
        (lambda folder: (folder / UP).unlink(), f"{DOWN}: neither a migration"),
        (added("0015.Big.sql"), "0015.Big.sql: neither a migration"),
        (added("notes.txt"), "notes.txt: neither a migration"),
        (added("post-apply.sql"), "post-apply.sql: neither a migration"),
        (added("0015.create.py"), "0015.create.py: neither a migration"),
        (lambda folder: (folder / "more").mkdir(), "more: neither a migration"),
        (
            renamed(LAST, f"9999{LAST[4:]}"),
            f"9999{LAST[4:]}.sql: its number should be {LAST[:4]}",
        ),
        (
            renamed("0007.create-audit-logs", "0006.create-audit-logs"),
            "0006.create-template-tags.sql: its number should be 0007",
        ),
    ],
)
def test_a_planted_fault_is_found(copy: Path, plant: Callable[[Path], None], said: str) -> None:
    plant(copy)
    assert [fault for fault in check_files(copy) if fault.startswith(said)], check_files(copy)


@pytest.mark.parametrize("path", sorted((ROOT / "migrations").glob("*.sql")), ids=lambda p: p.name)
def test_yoyo_sends_the_whole_of_a_file_but_its_leading_comment(path: Path) -> None:
    """It splits with a parser that has changed before: nothing may be lost or cut."""
    _, _, statements = read_sql_migration(str(path))
    text = path.read_text()
    body = [line for line in text.splitlines() if not line.startswith("--")]
    assert statements == ["\n".join(body)]


def test_a_statement_ends_with_a_semicolon_at_the_end_of_a_line() -> None:
    text = "-- why;\nCREATE TABLE a (\n  id INT COMMENT 'one; two'\n);\n\n-- more\nSELECT ';' ;  \n"
    assert statements_of(text) == [
        "CREATE TABLE a (\n  id INT COMMENT 'one; two'\n)",
        "SELECT ';'",
    ]


def test_a_folder_that_was_not_packaged_is_named() -> None:
    assert packaged("migrations") == ROOT / "migrations"
    with pytest.raises(ConfigError, match="recipes"):
        packaged("recipes")
