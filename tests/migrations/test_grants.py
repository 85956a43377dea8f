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
    "template_labels",
    "template_label_moves",
    "template_ratings",
    "template_postings",
    "search_terms",
    "search_corpora",
    "conversations",
    "conversation_participants",
    "conversation_shares",
    "prompt_postings",
    "prompts",
    "model_prices",
    "usage_records",
    "usage_items",
    "usage_days",
    "audit_logs",
    "audit_seals",
    "audit_seal_entries",
    "audit_checkpoints",
    "audit_holds",
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
        "categories": "SIUD",
        "tags": "SI",
        "templates": "SIUD",
        "template_versions": "SID",
        "template_tags": "SID",
        "template_labels": "SIUD",
        "template_label_moves": "SI",
        "template_ratings": "SIUD",
        "template_postings": "SIUD",
        "search_terms": "SID",
        "search_corpora": "SIU",
        "conversations": "SIUD",
        "conversation_participants": "SIUD",
        "conversation_shares": "SIUD",
        "prompt_postings": "SIUD",
        "prompts": "SIUD",
        "model_prices": "SI",
        "usage_records": "SIU",
        "usage_items": "SIU",
        "usage_days": "SIUD",
        "audit_logs": "SI",
        "audit_holds": "SIU",
    },
    "dal_migrator": dict.fromkeys((*TABLES, *RECORDS), "SIUD"),
    "dal_sealer": {
        "audit_logs": "S",
        "audit_seals": "SI",
        "audit_seal_entries": "SI",
        "audit_checkpoints": "S",
    },
    "dal_retention": {
        "audit_logs": "SD",
        "audit_seals": "S",
        "audit_seal_entries": "SD",
        "audit_checkpoints": "SI",
        "audit_holds": "S",
    },
    "dal_readonly": {
        table: "S"
        for table in TABLES
        if table not in ("search_terms", "template_postings", "prompt_postings")
    },
}
# What the read-only role may not see: what people wrote, prefer, who they are, and secrets.
WITHHELD: Final = {
    "users": {"email", "email_live", "full_name", "password_hash", "preferences"},
    "user_tokens": {"token_hash"},
    "categories": set[str](),
    "tags": set[str](),
    "templates": {"name", "description", "author_name"},
    "template_versions": {"content", "system_prompt", "variables", "message", "author_name"},
    "template_tags": set[str](),
    "template_labels": set[str](),
    "template_label_moves": set[str](),
    "template_ratings": {"feedback"},
    # Words of private templates too, which their hashes tell to who guesses: nothing.
    "template_postings": {"term", "scope", "impact", "template_id"},
    "prompt_postings": {"term", "scope", "impact", "conversation_id", "sequence_number"},
    "search_terms": {"corpus", "term", "documents"},
    "search_corpora": set[str](),
    "conversations": {"title", "description", "context", "settings"},
    "conversation_participants": set[str](),
    "conversation_shares": {"token_hash", "page_key"},
    "prompts": {
        "user_input",
        "response",
        "system_prompt",
        "settings",
        "error_message",
        "feedback",
        "idempotency_key",
    },
    "model_prices": set[str](),
    "usage_records": set[str](),
    "usage_items": set[str](),
    "usage_days": set[str](),
    "audit_logs": {"changes", "ip", "user_agent"},
    "audit_seals": set[str](),
    "audit_seal_entries": set[str](),
    "audit_checkpoints": set[str](),
    "audit_holds": {"reason"},
}
# One that every role that may read anything of the table may read.
COLUMNS: Final = {
    **dict.fromkeys(
        (
            "users",
            "categories",
            "tags",
            "templates",
            "template_label_moves",
            "audit_logs",
            "conversations",
            "conversation_shares",
            "prompts",
        ),
        "id",
    ),
    "user_tokens": "user_id",
    "model_prices": "model",
    "usage_records": "prompt_id",
    "usage_items": "prompt_id",
    "usage_days": "facet",
    "audit_seals": "number",
    "audit_seal_entries": "audit_id",
    "audit_checkpoints": "number",
    "audit_holds": "id",
    "conversation_participants": "conversation_id",
    "prompt_postings": "conversation_id",
    **dict.fromkeys(
        (
            "template_versions",
            "template_tags",
            "template_labels",
            "template_ratings",
            "template_postings",
        ),
        "template_id",
    ),
    **dict.fromkeys(("search_terms", "search_corpora"), "corpus"),
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


def new_rows(now: str) -> list[tuple[str, dict[str, object]]]:
    """A template with everything that goes with it, as (table, row), parents first."""
    user, template, tag, move = (uuid.uuid4().bytes for _ in range(4))
    times = {"created_at": now, "updated_at": now}
    moved = {"template_id": template, "label": "a", "moved_by": user, "moved_at": now}
    return [
        (
            "users",
            {"id": user, "email": f"{user.hex()}@b", "full_name": "A", "role": "user",
             "is_active": 1, "credentials_changed_at": now, "failed_logins": 0,
             "preferences": "{}", **times},
        ),
        ("tags", {"id": tag, "tag_key": tag.hex(), "name": "A", **times}),
        (
            "templates",
            {"id": template, "owner_id": user, "name": "A", "visibility": "private",
             "head_version": 1, "last_version": 1, "use_count": 0, "trend": 0, "rating_sum": 0,
             "rating_count": 0, **times},
        ),
        (
            "template_versions",
            {"template_id": template, "version": 1, "content": "a", "variables": "[]",
             "content_sha256": b"h" * 32, "created_by": user, "created_at": now},
        ),
        ("template_tags", {"template_id": template, "tag_id": tag, "created_at": now}),
        ("template_label_moves", {"id": move, "to_version": 1, **moved}),
        ("template_ratings", {"template_id": template, "user_id": user, "rating": 5, **times}),
        (
            "template_postings",
            {"term": 1, "scope": user, "impact": 1, "template_id": template},
        ),
        ("template_labels", {"version": 1, **moved}),
    ]  # fmt: skip


def insert(cursor: Cursor, table: str, row: dict[str, object]) -> None:
    values = ", ".join("_binary %s" if isinstance(v, bytes) else "%s" for v in row.values())
    cursor.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", (*row.values(),))


CHILDREN: Final = (
    "template_versions",
    "template_tags",
    "template_label_moves",
    "template_ratings",
    "template_postings",
)


def test_a_purge_takes_all_of_a_template_along_also_what_may_not_be_deleted(
    accounts: Accounts,
) -> None:
    application = accounts.config("dal_application")
    made = new_rows("2026-01-02 03:04:05")
    template = dict(made)["templates"]["id"]
    with closing(connect(application)) as connection, connection.cursor() as cursor:
        for table, row in made:
            insert(cursor, table, row)
        # Who moved labels is written once.
        with pytest.raises(pymysql.Error) as caught:
            cursor.execute("DELETE FROM template_label_moves WHERE template_id = %s", (template,))
        assert caught.value.args[0] in REFUSED
        # A labelled version stays, and keeps its template: labels are taken off first.
        with pytest.raises(pymysql.IntegrityError) as kept:
            cursor.execute("DELETE FROM templates WHERE id = _binary %s", (template,))
        assert "fk_template_labels_version" in str(kept.value)
        for table in CHILDREN:
            assert rows(application, f"SELECT 1 FROM {table}") == [(1,)], table
        cursor.execute("DELETE FROM template_labels WHERE template_id = _binary %s", (template,))
        assert cursor.execute("DELETE FROM templates WHERE id = _binary %s", (template,)) == 1
    for table in CHILDREN:
        assert rows(application, f"SELECT 1 FROM {table}") == [], table


def test_what_was_written_stays_as_it_was(accounts: Accounts) -> None:
    """Each column by itself: rights on one would be as bad as on all."""
    application = accounts.config("dal_application")
    for table in ("template_versions", "template_label_moves", "audit_logs", "tags"):
        columns = [row[0] for row in rows(accounts.server, f"SHOW COLUMNS FROM {table}")]
        for name in columns:
            change = f"UPDATE {table} SET {name} = {name} WHERE FALSE"
            assert refused(application, change), change


@pytest.mark.parametrize("table", TABLES)
def test_the_read_only_role_sees_no_text_and_no_person(accounts: Accounts, table: str) -> None:
    readonly = accounts.config("dal_readonly")
    columns = {row[0] for row in rows(accounts.server, f"SHOW COLUMNS FROM {table}")}
    seen = {name for name in columns if not refused(readonly, f"SELECT {name} FROM {table}")}
    assert columns - seen == WITHHELD[table]
    assert refused(readonly, f"SELECT COUNT(*) FROM {table}") is not bool(seen)


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
