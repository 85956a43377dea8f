"""sql/schema.sql, the migrations, and both servers: all of them one schema."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import attrs
import pytest

from dal.migrate import Migrator
from dal.provision import load_schema
from dal.server import temporary
from dal.testing.schema import differences, facts, migrated, schema_text
from tests.migrations.helpers import ROOT, rows, tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dal.config import Config
    from dal.server import PrivateServer

SCHEMA = ROOT / "sql/schema.sql"


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[PrivateServer, PrivateServer]]:
    with temporary("mariadb") as mariadb, temporary("mysql") as mysql:
        yield mariadb, mysql


def test_schema_sql_gives_what_the_migrations_give(database: Config) -> None:
    loaded = attrs.evolve(database, database=f"{database.database}_loaded")
    rows(database, f"CREATE DATABASE {loaded.database}")
    Migrator(database).apply()
    load_schema(database, loaded.database)
    assert differences(("migrated", facts(database)), ("loaded", facts(loaded))) == []
    assert Migrator(loaded).apply() == []
    assert {one.state for one in Migrator(loaded).status()} == {"applied"}
    Migrator(loaded).rollback(to="0000")
    assert {name for name in tables(loaded) if "yoyo" not in name} == {"dal_migrations"}


def test_schema_sql_is_what_the_generator_writes(both: tuple[PrivateServer, PrivateServer]) -> None:
    assert schema_text(migrated(both[0], "generated")) == SCHEMA.read_text()


def test_both_servers_have_the_same_schema(both: tuple[PrivateServer, PrivateServer]) -> None:
    mariadb, mysql = (facts(migrated(server, "same")) for server in both)
    assert differences(("mariadb", mariadb), ("mysql", mysql)) == []
    assert len(mariadb) > 100


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE users MODIFY full_name VARCHAR(101) NOT NULL",
        "ALTER TABLE users MODIFY full_name VARCHAR(100) NULL",
        "ALTER TABLE users MODIFY full_name VARCHAR(100) COLLATE utf8mb4_bin NOT NULL",
        "ALTER TABLE users MODIFY full_name VARCHAR(100) NOT NULL DEFAULT 'x'",
        "ALTER TABLE users ADD COLUMN extra INT",
        "ALTER TABLE users COMMENT 'people'",
        "ALTER TABLE users DROP KEY uq_users_email_live",
        "ALTER TABLE users MODIFY email_live VARCHAR(254) CHARACTER SET utf8mb4"
        " COLLATE utf8mb4_bin GENERATED ALWAYS AS (IF(deleted_at IS NULL, full_name, NULL)) VIRTUAL"
        " COMMENT 'the address while the row is live, so that it is unique among the live'",
        "ALTER TABLE templates DROP KEY ix_templates_deleted",
        "ALTER TABLE templates DROP FOREIGN KEY fk_templates_owner,"
        " ADD CONSTRAINT fk_templates_owners FOREIGN KEY (owner_id) REFERENCES users (id)",
        "ALTER TABLE template_tags DROP FOREIGN KEY fk_template_tags_template",
        "ALTER TABLE templates DROP CONSTRAINT ck_templates_head_version",
        "ALTER TABLE templates DROP CONSTRAINT ck_templates_head_version,"
        " ADD CONSTRAINT ck_templates_head_version CHECK (head_version >= 2)",
        "ALTER TABLE templates DROP CONSTRAINT ck_templates_rating",
        "ALTER TABLE templates DROP KEY ix_templates_visibility_rating,"
        " ADD KEY ix_templates_visibility_rating (visibility, deleted_at, id)",
        "ALTER TABLE templates ADD FULLTEXT KEY ft_templates_name (name)",
        "ALTER TABLE template_labels MODIFY label VARCHAR(100) NOT NULL",
        "DROP TABLE audit_logs",
    ],
)
def test_each_kind_of_drift_is_found(database: Config, change: str) -> None:
    Migrator(database).apply()
    before = facts(database)
    rows(database, change)
    assert differences(("before", before), ("after", facts(database))) != []


def test_a_changed_delete_rule_is_found(database: Config) -> None:
    Migrator(database).apply()
    before = facts(database)
    rows(database, "ALTER TABLE template_tags DROP FOREIGN KEY fk_template_tags_template")
    rows(
        database,
        "ALTER TABLE template_tags ADD CONSTRAINT fk_template_tags_template"
        " FOREIGN KEY (template_id) REFERENCES templates (id) ON UPDATE RESTRICT",
    )
    found = differences(("before", before), ("after", facts(database)))
    assert [fact.rpartition(":")[2] for fact in found] == [
        " fk_template_tags_template | templates | CASCADE | RESTRICT",
        " fk_template_tags_template | templates | RESTRICT | RESTRICT",
    ]


def test_the_table_of_delete_rules_tells_every_foreign_key(database: Config) -> None:
    Migrator(database).apply()
    found = rows(
        database,
        "SELECT REFERENCED_TABLE_NAME, TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE"
        " FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()",
    )
    table = (ROOT / "migrations/README.md").read_text().splitlines()
    assert len(found) >= 6
    for parent, child, name, rule in found:
        (line,) = [line for line in table if f"`{name}`" in line]
        assert line.startswith((f"| {parent} | {child} |", f"| {parent} | {child} (")), line
        assert f"({rule}, `{name}`)" in line


def test_every_key_says_what_it_serves(database: Config) -> None:
    Migrator(database).apply()
    keys = rows(
        database,
        "SELECT DISTINCT TABLE_NAME, INDEX_NAME, INDEX_COMMENT FROM information_schema.STATISTICS"
        " WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME <> 'PRIMARY'",
    )
    assert len(keys) > 20
    assert [key for key in keys if not key[2]] == []


def test_the_columns_of_each_foreign_key_begin_a_key_in_their_order(database: Config) -> None:
    Migrator(database).apply()
    keys, foreign = dict[tuple[str, str], list[str]](), dict[tuple[str, str], list[str]]()
    for found, sql in (
        (
            keys,
            "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS"
            " WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
        ),
        (
            foreign,
            "SELECT TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME"
            " FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = DATABASE()"
            " AND REFERENCED_TABLE_NAME IS NOT NULL"
            " ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
        ),
    ):
        for table, name, column in rows(database, sql):
            found.setdefault((table, name), []).append(column)
    assert foreign["template_labels", "fk_template_labels_version"] == ["template_id", "version"]
    for (table, name), columns in foreign.items():
        begun = [key for (of, _), key in keys.items() if of == table]
        assert any(key[: len(columns)] == columns for key in begun), name


def test_the_script_writes_and_checks(tmp_path: Path) -> None:
    script = [sys.executable, str(ROOT / "scripts/schema"), "--check", "--engine", "mariadb"]
    done = subprocess.run(script, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
