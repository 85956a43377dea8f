"""What the migrator promises beside yoyo, each on both servers."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import attrs
import pytest

from dal.errors import ConnectError, MigrationError, UsageError
from dal.migrate import MigrationStep, Migrator
from dal.provision import connect
from dal.testing.schema import facts, schema_text
from tests.migrations.helpers import ROOT, Folder, rows, tables

if TYPE_CHECKING:
    from dal.config import Config

EVERY = sorted(
    path.name[:-4]
    for path in (ROOT / "migrations").glob("*.sql")
    if not path.name.endswith(".rollback.sql")
)


def states(migrator: Migrator) -> dict[str, str]:
    return {one.id: one.state for one in migrator.status()}


def test_up_down_up_gives_the_same_schema(database: Config) -> None:
    migrator = Migrator(database)
    assert migrator.apply() == EVERY
    first, text = facts(database), schema_text(database)
    assert migrator.rollback(count=len(EVERY)) == EVERY[::-1]
    assert tables(database) == {
        "_yoyo_log",
        "_yoyo_migration",
        "_yoyo_version",
        "dal_migrations",
        "yoyo_lock",
    }
    assert migrator.apply() == EVERY
    assert facts(database) == first
    assert schema_text(database) == text


def test_each_migration_goes_up_and_down_alone(database: Config, folder: Folder) -> None:
    """One after the other: what one makes, its rollback takes away again, and nothing else."""
    migrator = folder.migrator(database)
    seen = []
    for name in EVERY:
        # Before the first one there are not even the migrator's own tables.
        seen.append(facts(database))
        for suffix in (".sql", ".rollback.sql"):
            shutil.copy(ROOT / "migrations" / f"{name}{suffix}", folder.path)
        assert migrator.apply() == [name]
    complete = facts(database)
    for name, before in reversed(list(zip(EVERY, seen, strict=True))):
        assert migrator.rollback(count=1) == [name]
        if before:
            assert facts(database) == before
    assert migrator.apply() == EVERY
    assert facts(database) == complete


def test_nothing_pending_is_no_error(database: Config) -> None:
    migrator = Migrator(database)
    migrator.apply()
    assert migrator.apply() == []
    assert set(states(migrator).values()) == {"applied"}


def test_status_of_an_empty_database_makes_nothing(database: Config) -> None:
    assert states(Migrator(database)) == dict.fromkeys(EVERY, "pending")
    assert tables(database) == set()


def test_dry_run_tells_every_statement_and_touches_nothing(database: Config) -> None:
    migrator, steps = Migrator(database), list[MigrationStep]()
    assert migrator.apply(dry_run=True, on_step=steps.append) == EVERY
    assert [step.id for step in steps] == EVERY
    assert all(step.sql.startswith(("CREATE TABLE", "ALTER TABLE", "UPDATE")) for step in steps)
    assert tables(database) == set()
    migrator.apply()
    before = facts(database), rows(database, "SELECT * FROM _yoyo_log ORDER BY id")
    steps.clear()
    assert migrator.rollback(count=2, dry_run=True, on_step=steps.append) == EVERY[:-3:-1]
    undone = [ROOT / "migrations" / f"{name}.rollback.sql" for name in EVERY[:-3:-1]]
    said = [file.read_text().partition("\n")[2].strip() for file in undone]
    assert [step.sql for step in steps] == said
    assert (facts(database), rows(database, "SELECT * FROM _yoyo_log ORDER BY id")) == before


def test_on_step_is_told_what_runs(database: Config) -> None:
    steps: list[MigrationStep] = []
    Migrator(database).apply(on_step=steps.append)
    assert [(step.id, step.direction) for step in steps] == [(name, "apply") for name in EVERY]


@pytest.mark.parametrize("suffix", [".sql", ".rollback.sql"])
def test_an_edited_applied_file_is_refused_by_name(
    database: Config, folder: Folder, suffix: str
) -> None:
    name = folder.add("0001.create-one", "CREATE TABLE one (id INT);", "DROP TABLE one;")
    migrator = folder.migrator(database)
    migrator.apply()
    file = folder.path / f"{name}{suffix}"
    file.write_text(file.read_text() + "-- a thought that came later\n")
    assert states(migrator) == {name: "edited"}
    refusal = r"edited after it was applied: 0001\.create-one"
    for dry_run in (False, True):
        with pytest.raises(MigrationError, match=refusal):
            migrator.apply(dry_run=dry_run)
        with pytest.raises(MigrationError, match=refusal):
            migrator.rollback(dry_run=dry_run)
    assert "one" in tables(database)


def test_line_ends_are_no_edit(database: Config, folder: Folder) -> None:
    name = folder.add("0001.create-one", "CREATE TABLE one (id INT);", "DROP TABLE one;")
    migrator = folder.migrator(database)
    migrator.apply()
    file = folder.path / f"{name}.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert states(migrator) == {name: "applied"}


def test_a_missing_file_is_refused(database: Config, folder: Folder) -> None:
    folder.add("0001.create-one", "CREATE TABLE one (id INT);", "DROP TABLE one;")
    name = folder.add("0002.create-two", "CREATE TABLE two (id INT);", "DROP TABLE two;")
    migrator = folder.migrator(database)
    migrator.apply()
    for path in folder.path.glob(f"{name}*"):
        path.unlink()
    assert states(migrator)[name] == "missing"
    for action in (migrator.apply, migrator.rollback):
        with pytest.raises(MigrationError, match=r"0002\.create-two\.sql"):
            action()
    assert tables(database) >= {"one", "two"}


def test_an_older_one_than_the_newest_is_refused(database: Config, folder: Folder) -> None:
    folder.add("0002.create-two", "CREATE TABLE two (id INT);", "DROP TABLE two;")
    migrator = folder.migrator(database)
    migrator.apply()
    folder.add("0001.create-one", "CREATE TABLE one (id INT);", "DROP TABLE one;")
    with pytest.raises(MigrationError, match=r"0001\.create-one\.sql is older than 0002"):
        migrator.apply()
    assert "one" not in tables(database)


def test_a_folder_that_is_not_there_is_an_error(database: Config, folder: Folder) -> None:
    shutil.rmtree(folder.path)
    with pytest.raises(MigrationError, match="no such folder"):
        folder.migrator(database).apply()


def test_rollback_goes_from_the_newest_down(database: Config) -> None:
    migrator = Migrator(database)
    migrator.apply()
    assert migrator.rollback() == [EVERY[-1]]
    assert migrator.rollback(to="0004") == EVERY[-2:3:-1]
    assert migrator.rollback(to=EVERY[2]) == [EVERY[3]]
    assert migrator.rollback(to="0000") == EVERY[2::-1]
    assert migrator.rollback() == []


def test_rollback_to_what_is_not_applied_is_refused(database: Config) -> None:
    migrator = Migrator(database)
    with pytest.raises(MigrationError, match="no such migration is applied"):
        migrator.rollback(to="0003")


def test_rollback_takes_one_of_count_and_to(database: Config) -> None:
    with pytest.raises(UsageError):
        Migrator(database).rollback(count=1, to="0001")
    with pytest.raises(UsageError):
        Migrator(database).rollback(count=0)


def test_a_rollback_without_a_file_is_refused(database: Config, folder: Folder) -> None:
    folder.add("0001.create-one", "CREATE TABLE one (id INT);", None)
    migrator = folder.migrator(database)
    migrator.apply()
    with pytest.raises(MigrationError, match=r"0001\.create-one\.rollback\.sql: missing"):
        migrator.rollback()
    assert states(migrator) == {"0001.create-one": "applied"}


# What a failure says


@pytest.mark.parametrize("flag", ["-- transactional: false\n", ""])
@pytest.mark.parametrize(
    ("sql", "mariadb", "mysql", "said"),
    [
        (
            "CREATE TABLE bad (id INT, FOREIGN KEY (id) REFERENCES nowhere (id));",
            1005,
            1824,
            "nowhere|errno: 150",
        ),
        ("CREATE TABEL bad (id INT);", 1064, 1064, "TABEL"),
    ],
)
def test_a_failure_shows_the_servers_own_number_and_words(
    database: Config, folder: Folder, sql: str, mariadb: int, mysql: int, said: str, flag: str
) -> None:
    good = folder.add("0001.create-one", "CREATE TABLE one (id INT);", "DROP TABLE one;")
    bad = folder.add("0002.create-bad", sql, "DROP TABLE bad;")
    file = folder.path / f"{bad}.sql"
    # yoyo's own transactions hide the server's error by 1305; with the flag or without, not ours.
    file.write_text(flag + sql)
    migrator = folder.migrator(database)
    with pytest.raises(MigrationError, match=said) as caught:
        migrator.apply()
    is_mariadb = "MariaDB" in rows(database, "SELECT VERSION()")[0][0]
    assert caught.value.errno == (mariadb if is_mariadb else mysql)
    assert f"{bad}.sql" in str(caught.value)
    assert "Nothing of it was done" in str(caught.value)
    assert f"server error {caught.value.errno}" in str(caught.value)
    assert states(migrator) == {good: "applied", bad: "pending"}
    file.write_text(flag + "CREATE TABLE bad (id INT);")
    assert migrator.apply() == [bad]


def test_a_file_of_two_that_fails_is_undone(database: Config, folder: Folder) -> None:
    folder.add(
        "0001.create-two",
        "CREATE TABLE one (id INT);\nCREATE TABLE one (id INT);",
        "DROP TABLE one;\nDROP TABLE one;",
    )
    with pytest.raises(MigrationError, match=r"Statement 2 of 2 failed.*was undone") as caught:
        folder.migrator(database).apply()
    assert caught.value.errno == 1050
    assert "one" not in tables(database)


def test_a_file_of_two_that_cannot_be_undone_says_what_stays(
    database: Config, folder: Folder
) -> None:
    folder.add(
        "0001.create-two",
        "CREATE TABLE one (id INT);\nCREATE TABLE one (id INT);",
        "DROP TABLE one;\nDROP TABLE nowhere;",
    )
    with pytest.raises(MigrationError, match=r"Still done.*statements 1 of") as caught:
        folder.migrator(database).apply()
    assert caught.value.errno == 1050
    assert "one" in tables(database)


def test_a_failed_rollback_leaves_it_applied(database: Config, folder: Folder) -> None:
    name = folder.add("0001.create-one", "CREATE TABLE one (id INT);", "DROP TABLE nowhere;")
    migrator = folder.migrator(database)
    migrator.apply()
    for _ in range(2):  # the second is not taken for one that a killed migrator had done
        with pytest.raises(MigrationError, match="nowhere") as caught:
            migrator.rollback()
        assert caught.value.errno == 1051
        assert states(migrator) == {name: "applied"}


def test_a_table_that_is_there_is_not_taken_for_done(database: Config, folder: Folder) -> None:
    rows(database, "CREATE TABLE one (other INT)")
    folder.add("0001.create-one", "CREATE TABLE one (id INT);", "DROP TABLE one;")
    for _ in range(2):
        with pytest.raises(MigrationError) as caught:
            folder.migrator(database).apply()
        assert caught.value.errno == 1050


def test_no_connection_and_no_transaction_is_left(database: Config) -> None:
    migrator = Migrator(database)
    migrator.apply()
    with pytest.raises(MigrationError):
        migrator.rollback(to="9999")
    # One that still had a transaction open would hold a lock on the tables: this would wait.
    with closing(connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION lock_wait_timeout = 1")
        cursor.execute("DROP TABLE audit_logs")


def test_tables_of_the_migrator_do_not_depend_on_the_databases_character_set(
    database: Config,
) -> None:
    rows(database, f"ALTER DATABASE {database.database} CHARACTER SET latin1")
    Migrator(database).apply()
    found = rows(
        database,
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
        " AND TABLE_COLLATION NOT LIKE 'utf8mb4%'",
    )
    assert found == []


def test_the_server_that_is_not_there_is_a_connect_error(database: Config) -> None:
    nowhere = attrs.evolve(database, unix_socket="/nowhere/server.sock")
    with pytest.raises(ConnectError, match="nowhere"):
        Migrator(nowhere).status()


def test_what_the_account_may_not_do_is_said(database: Config) -> None:
    rows(database, "CREATE USER IF NOT EXISTS 'nobody'@'localhost'")
    rows(database, f"GRANT SELECT ON {database.database}.* TO 'nobody'@'localhost'")
    nobody = attrs.evolve(database, user="nobody")
    assert set(states(Migrator(nobody)).values()) == {"pending"}
    with pytest.raises(MigrationError, match="CREATE command denied") as caught:
        Migrator(nobody).apply()
    assert caught.value.errno == 1142
