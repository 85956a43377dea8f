"""What each account may do, tried: every role on every table by every verb, on both servers."""

from __future__ import annotations

import re
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pymysql
import pytest

from dal.provision import ACCOUNT_OF_ROLE, apply_grants, connect, prepare_temporary
from tests.migrations.helpers import ROOT, rows, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

    from dal.config import Config
    from dal.provision import Accounts
    from dal.server import PrivateServer

TABLES: Final = (
    "users",
    "user_tokens",
    "categories",
    "tags",
    "templates",
    "template_versions",
    "template_tags",
    "audit_logs",
)
RECORDS: Final = ("_yoyo_log", "_yoyo_migration", "_yoyo_version", "yoyo_lock", "dal_migrations")
# 1044 database, 1142 table, 1143 column, 1227 and 1370 the rest: may not.
REFUSED: Final = frozenset({1044, 1142, 1143, 1227, 1370})
# Rights are asked for before values.
NEEDS_A_VALUE: Final = 1364
VERBS: Final = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}
# A second opinion on sql/grants.sql, to be changed together with it.
MAY: Final[dict[str, dict[str, str]]] = {
    "dal_application": {
        "users": "SIU",
        "user_tokens": "SIUD",
        "categories": "SI",
        "tags": "SI",
        "templates": "SIUD",
        "template_versions": "SI",
        "template_tags": "SID",
        "audit_logs": "SI",
    },
    "dal_migrator": dict.fromkeys((*TABLES, *RECORDS), "SIUD"),
    "dal_sealer": {"audit_logs": "S"},
    "dal_retention": {"audit_logs": "SD"},
    "dal_readonly": dict.fromkeys(TABLES, "S"),
}
# What the read-only role may not see: what people wrote, prefer, who they are, and secrets.
WITHHELD: Final = {
    "users": {"email", "email_live", "full_name", "password_hash", "preferences"},
    "user_tokens": {"token_hash"},
    "categories": set[str](),
    "tags": set[str](),
    "templates": {"name", "description", "author_name"},
    "template_versions": {"content", "system_prompt", "message"},
    "template_tags": set[str](),
    "audit_logs": {"changes", "ip", "user_agent"},
}
# One that every role that may read anything of the table may read.
COLUMNS: Final = {
    **dict.fromkeys(("users", "categories", "tags", "templates", "audit_logs"), "id"),
    "user_tokens": "user_id",
    **dict.fromkeys(("template_versions", "template_tags"), "template_id"),
    "_yoyo_log": "id",
    "_yoyo_migration": "migration_hash",
    "_yoyo_version": "version",
    "yoyo_lock": "locked",
    "dal_migrations": "id",
}
NEVER: Final = (
    "DROP TABLE audit_logs",
    "TRUNCATE TABLE audit_logs",
    "ALTER TABLE audit_logs ADD COLUMN extra INT",
    "CREATE TABLE mine (id INT)",
    "CREATE INDEX ix_mine ON audit_logs (outcome)",
    "RENAME TABLE audit_logs TO mine",
    "CREATE VIEW mine AS SELECT id FROM audit_logs",
    "CREATE TRIGGER mine BEFORE INSERT ON audit_logs FOR EACH ROW SET NEW.affected = 0",
    "REPLACE INTO audit_logs (id) VALUES ('0123456789abcdef')",
    "LOCK TABLES audit_logs WRITE",
    "CREATE DATABASE mine",
)


_connections: Final[dict[Config, Connection[Cursor]]] = {}
"""One an account: to log in takes longer than what is tried here."""


@pytest.fixture(scope="module")
def accounts(server: PrivateServer) -> Iterator[Accounts]:
    yield prepare_temporary(server, "grants")
    while _connections:
        _connections.popitem()[1].close()


def refused(config: Config, statement: str) -> bool:
    """Whether rights alone stop a statement. It is rolled back where it can be."""
    if config not in _connections:
        _connections[config] = connect(config)
    with _connections[config].cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            cursor.execute(statement)
        except pymysql.Error as error:
            if error.args[0] in REFUSED:
                return True
            if error.args[0] != NEEDS_A_VALUE:
                raise
        finally:
            cursor.execute("ROLLBACK")
        return False


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("table", [*TABLES, *RECORDS])
@pytest.mark.parametrize("role", MAY)
def test_each_role_may_do_its_part_and_no_more(
    accounts: Accounts, role: str, table: str, verb: str
) -> None:
    column = COLUMNS[table]
    statement = {
        "S": f"SELECT {column} FROM {table} LIMIT 1",
        "I": f"INSERT INTO {table} () VALUES ()",
        "U": f"UPDATE {table} SET {column} = 'x' WHERE FALSE",
        "D": f"DELETE FROM {table} WHERE FALSE",
    }[verb]
    may = verb in MAY[role].get(table, "")
    assert refused(accounts.config(role), statement) is not may


@pytest.mark.parametrize("statement", NEVER)
@pytest.mark.parametrize("role", [role for role in MAY if role != "dal_migrator"])
def test_nobody_but_the_migrator_changes_a_table(
    accounts: Accounts, role: str, statement: str
) -> None:
    assert refused(accounts.config(role), statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE DATABASE mine",
        "CREATE USER 'mine'@'localhost'",
        "GRANT SELECT ON users TO dal_readonly",
        "SELECT * FROM mysql.user",
        "CREATE TRIGGER mine BEFORE INSERT ON users FOR EACH ROW SET NEW.full_name = ''",
    ],
)
def test_what_even_the_migrator_may_not(accounts: Accounts, statement: str) -> None:
    assert refused(accounts.config("dal_migrator"), statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM users WHERE id = '0123456789abcdef' LOCK IN SHARE MODE",
        "SELECT id FROM templates WHERE id = '0123456789abcdef' FOR UPDATE",
        "INSERT INTO template_tags (template_id, tag_id, created_at)"
        " SELECT '0123456789abcdef', t.id, t.created_at FROM tags AS t WHERE FALSE"
        " LOCK IN SHARE MODE",
        "INSERT INTO categories (id, slug, name, created_at, updated_at)"
        " SELECT id, slug, name, created_at, updated_at FROM categories WHERE FALSE"
        " LOCK IN SHARE MODE",
    ],
)
def test_the_application_takes_the_locks_that_it_needs(accounts: Accounts, statement: str) -> None:
    assert not refused(accounts.config("dal_application"), statement)


def test_a_purge_takes_versions_and_tags_along_without_a_right_on_versions(
    accounts: Accounts,
) -> None:
    user, template, tag = (uuid.uuid4().bytes for _ in range(3))
    now = "2026-01-02 03:04:05"
    application = accounts.config("dal_application")
    with closing(connect(application)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users (id, email, full_name, role, is_active, credentials_changed_at,"
            " failed_logins, preferences, created_at, updated_at)"
            " VALUES (_binary %s, 'a@b', 'A', 'user', TRUE, %s, 0, '{}', %s, %s)",
            (user, now, now, now),
        )
        cursor.execute(
            "INSERT INTO tags (id, tag_key, name, created_at, updated_at)"
            " VALUES (_binary %s, 'a', 'A', %s, %s)",
            (tag, now, now),
        )
        cursor.execute(
            "INSERT INTO templates (id, owner_id, name, visibility, head_version, created_at,"
            " updated_at) VALUES (_binary %s, _binary %s, 'A', 'private', 1, %s, %s)",
            (template, user, now, now),
        )
        cursor.execute(
            "INSERT INTO template_versions (template_id, version, content, content_sha256,"
            " created_by, created_at) VALUES (_binary %s, 1, 'a', '', _binary %s, %s)",
            (template, user, now),
        )
        cursor.execute(
            "INSERT INTO template_tags (template_id, tag_id, created_at)"
            " VALUES (_binary %s, _binary %s, %s)",
            (template, tag, now),
        )
        assert cursor.execute("DELETE FROM templates WHERE id = _binary %s", (template,)) == 1
    assert rows(application, "SELECT 1 FROM template_versions") == []
    assert rows(application, "SELECT 1 FROM template_tags") == []


@pytest.mark.parametrize("table", TABLES)
def test_the_read_only_role_sees_no_text_and_no_person(accounts: Accounts, table: str) -> None:
    readonly = accounts.config("dal_readonly")
    columns = {row[0] for row in rows(accounts.server, f"SHOW COLUMNS FROM {table}")}
    seen = {name for name in columns if not refused(readonly, f"SELECT {name} FROM {table}")}
    assert columns - seen == WITHHELD[table]
    assert not refused(readonly, f"SELECT COUNT(*) FROM {table}")


def test_every_table_is_in_the_grants_and_every_name_there_is_a_table(accounts: Accounts) -> None:
    text = (ROOT / "sql/grants.sql").read_text()
    named = set(re.findall(r"ON (\w+) TO dal_", text))
    assert named == set(TABLES)
    assert tables(accounts.server) == {*TABLES, *RECORDS}
    assert set(re.findall(r"^CREATE ROLE IF NOT EXISTS (\w+);$", text, re.MULTILINE)) == set(MAY)
    assert set(MAY) == set(ACCOUNT_OF_ROLE)


def test_a_second_run_gives_the_same_rights(accounts: Accounts) -> None:
    def rights() -> dict[str, list[str]]:
        return {
            role: sorted(row[0] for row in rows(accounts.server, f"SHOW GRANTS FOR {role}"))
            for role in MAY
        }

    before = rights()
    apply_grants(accounts.server, "grants")
    assert rights() == before


def test_rights_on_one_database_are_none_on_another(
    accounts: Accounts, server: PrivateServer
) -> None:
    rows(accounts.server, "CREATE DATABASE IF NOT EXISTS not_granted")
    rows(accounts.server, "CREATE TABLE IF NOT EXISTS not_granted.users (id INT)")
    for role in MAY:
        assert refused(accounts.config(role), "SELECT * FROM not_granted.users")
    before = rows(accounts.server, "SHOW GRANTS FOR dal_application")
    prepare_temporary(server, "grants_of_another")
    after = rows(accounts.server, "SHOW GRANTS FOR dal_application")
    assert set(before) < set(after)
