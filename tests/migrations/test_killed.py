"""Migrators that die, that wait, and that meet."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import attrs
import pytest

from dal.errors import MigrationError
from dal.migrate import MigrationStep, Migrator
from dal.provision import connect
from dal.testing.schema import facts
from tests.migrations.helpers import ROOT, Folder, rows, tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dal.config import Config

WAIT_S = 30.0
# A migrator in a process of its own. Its last line is where it dies, if that is given.
MIGRATOR = """
import os, signal, sys
from pathlib import Path
import dal.migrate
import dal.migrate.backend
import dal.migrate.bookkeeping
from dal.config import parse

def die(*arguments, **keywords):
    os.kill(os.getpid(), signal.SIGKILL)

migrator = dal.migrate.Migrator(
    parse(user="root", database=sys.argv[2], unix_socket=sys.argv[1]),
    folder=Path(sys.argv[3]),
    lock_wait_timeout_s=int(sys.argv[4]),
)
"""
UP = "\nmigrator.apply()"
DOWN = "\nmigrator.rollback()"


def started(
    config: Config, folder: Path, script: str, lock_wait_s: int = 60
) -> subprocess.Popen[bytes]:
    arguments = [str(config.unix_socket), config.database, str(folder), str(lock_wait_s)]
    command = [sys.executable, "-W", "error", "-c", MIGRATOR + script, *arguments]
    return subprocess.Popen(command, cwd=ROOT)


def killed_itself(config: Config, folder: Path, script: str) -> None:
    assert started(config, folder, script).wait(WAIT_S) == -signal.SIGKILL


@contextmanager
def reader(config: Config, table: str) -> Iterator[None]:
    """Somebody who reads a table in an open transaction: any ALTER of it waits."""
    with closing(connect(config)) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"SELECT * FROM {table}")
        yield
        cursor.execute("ROLLBACK")


def waiting(config: Config) -> list[int]:
    """The connections whose statement waits for the lock of a table."""
    return [
        row[0]
        for row in rows(config, "SHOW PROCESSLIST")
        if row[3] == config.database and "metadata lock" in str(row[6])
    ]


def until_it_waits(config: Config) -> int:
    deadline = time.monotonic() + WAIT_S
    while not (found := waiting(config)):
        assert time.monotonic() < deadline, "the statement never waited for a lock"
    return found[0]


@pytest.fixture
def two(database: Config, folder: Folder) -> Folder:
    """A migration that is applied, and one that is not and alters its table."""
    folder.add("0001.create-one", "CREATE TABLE one (id INT) ENGINE = InnoDB;", "DROP TABLE one;")
    folder.migrator(database).apply()
    folder.add(
        "0002.add-size", "ALTER TABLE one ADD COLUMN size INT;", "ALTER TABLE one DROP COLUMN size;"
    )
    return folder


def columns(config: Config) -> list[str]:
    return [row[0] for row in rows(config, "SHOW COLUMNS FROM one")]


def test_a_migrator_killed_while_it_waits_does_not_block_the_next(
    database: Config, two: Folder
) -> None:
    with reader(database, "one"):
        process = started(database, two.path, UP)
        until_it_waits(database)
        process.kill()
        assert process.wait(WAIT_S) == -signal.SIGKILL
        assert rows(database, "SELECT COUNT(*) FROM yoyo_lock") == [(1,)]  # its lock, left over
    # The server may by now have done what the killed one asked for, or not: it is the same.
    assert two.migrator(database).apply() == ["0002.add-size"]
    assert columns(database) == ["id", "size"]
    assert rows(database, "SELECT * FROM yoyo_lock") == []
    assert rows(database, "SELECT id FROM dal_migrations WHERE unfinished IS NOT NULL") == []
    assert two.migrator(database).rollback() == ["0002.add-size"]
    assert columns(database) == ["id"]


def test_the_statement_of_a_killed_migrator_is_not_run_a_second_time_beside_it(
    database: Config, two: Folder
) -> None:
    with reader(database, "one"):
        process = started(database, two.path, UP)
        number = until_it_waits(database)
        process.kill()
        process.wait(WAIT_S)
        with pytest.raises(MigrationError, match="killed still runs") as caught:
            two.migrator(database, lock_timeout_s=0.2).apply()
        assert f"KILL {number}" in str(caught.value)
        assert waiting(database) == [number]
        rows(database, f"KILL {number}")
        # As it was killed, its column is not there.
        assert columns(database) == ["id"]
    assert two.migrator(database).apply() == ["0002.add-size"]
    assert columns(database) == ["id", "size"]


@pytest.mark.parametrize(
    "where",
    ["migrator.apply(on_step=die)", "dal.migrate.backend.Backend.mark_one = die; migrator.apply()"],
    ids=["before the statement", "after it, before it is recorded"],
)
def test_killed_at_any_step_of_applying(database: Config, folder: Folder, where: str) -> None:
    for name, up, down in (
        ("0001.create-one", "CREATE TABLE one (id INT);", "DROP TABLE one;"),
        ("0002.add-size", "ALTER TABLE one ADD size INT;", "ALTER TABLE one DROP size;"),
    ):
        folder.add(name, up, down)
        killed_itself(database, folder.path, "\n" + where)
        killed_itself(database, folder.path, "\n" + where)
        assert folder.migrator(database).apply() == [name]
    assert columns(database) == ["id", "size"]
    assert folder.migrator(database).rollback(count=2) == ["0002.add-size", "0001.create-one"]


@pytest.mark.parametrize(
    "where",
    [
        "migrator.rollback(on_step=die)",
        "dal.migrate.backend.Backend.unmark_one = die; migrator.rollback()",
    ],
    ids=["before the statement", "after it, before it is recorded"],
)
def test_killed_at_any_step_of_rolling_back(database: Config, two: Folder, where: str) -> None:
    two.migrator(database).apply()
    for name in ("0002.add-size", "0001.create-one"):
        killed_itself(database, two.path, "\n" + where)
        killed_itself(database, two.path, "\n" + where)
        assert two.migrator(database).rollback() == [name]
    assert "one" not in tables(database)
    assert two.migrator(database).apply() == ["0001.create-one", "0002.add-size"]


def test_killed_while_it_makes_its_own_tables(database: Config, folder: Folder) -> None:
    folder.add("0001.create-one", "CREATE TABLE one (id INT);", "DROP TABLE one;")
    half = "\ndal.migrate.bookkeeping.TABLES = dal.migrate.bookkeeping.TABLES[:{0}]\n"
    for count in range(6):
        script = (
            half.format(count)
            + "dal.migrate.backend.Backend.take_yoyo_lock = die\nmigrator.apply()"
        )
        killed_itself(database, folder.path, script)
        assert [one.state for one in folder.migrator(database).status()] == ["pending"]
    assert folder.migrator(database).apply() == ["0001.create-one"]


def test_a_lock_wait_is_bounded(database: Config, two: Folder) -> None:
    began = time.monotonic()
    with reader(database, "one"), pytest.raises(MigrationError) as caught:
        two.migrator(database, lock_wait_timeout_s=1).apply()
    assert caught.value.errno == 1205
    assert "0002.add-size.sql" in str(caught.value)
    assert time.monotonic() - began < 10
    assert two.migrator(database).apply() == ["0002.add-size"]


def test_a_second_migrator_waits_no_longer_than_told_and_says_for_whom(
    database: Config, two: Folder
) -> None:
    with reader(database, "one"):
        process = started(database, two.path, UP)
        until_it_waits(database)
        began = time.monotonic()
        with pytest.raises(MigrationError, match="another migrator is at work") as caught:
            two.migrator(database, lock_timeout_s=0.2).apply()
        assert time.monotonic() - began < 10
        assert "root@localhost" in str(caught.value)
        assert process.poll() is None
    assert process.wait(WAIT_S) == 0
    assert two.migrator(database).apply() == []


def test_two_at_once_apply_each_migration_once(database: Config) -> None:
    together = threading.Barrier(2)
    done: list[list[str]] = []

    def run() -> None:
        together.wait(WAIT_S)
        done.append(Migrator(database, lock_timeout_s=WAIT_S).apply())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    first, second = sorted(done, key=len)
    assert first == []
    assert len(second) == len(set(second)) > 0
    logged = rows(database, "SELECT migration_id, COUNT(*) FROM _yoyo_log GROUP BY migration_id")
    assert dict(logged) == dict.fromkeys(second, 1)


def test_two_databases_do_not_wait_for_each_other(database: Config, two: Folder) -> None:
    other = f"{database.database}_other"
    rows(database, f"CREATE DATABASE {other}")
    with closing(connect(database)) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, 0)", (f"dal:migrate:run:{other}",))
        assert two.migrator(database, lock_timeout_s=0.2).apply() == ["0002.add-size"]


def test_a_lost_lock_ends_the_run(database: Config, two: Folder) -> None:
    two.add("0003.create-two", "CREATE TABLE two (id INT);", "DROP TABLE two;")

    def lose_the_lock(step: MigrationStep) -> None:
        assert step.id == "0002.add-size", "ran without the lock"
        holder = rows(database, f"SELECT IS_USED_LOCK('dal:migrate:run:{database.database}')")
        rows(database, f"KILL {holder[0][0]}")

    with pytest.raises(MigrationError, match=r"0003\.create-two"):
        two.migrator(database).apply(on_step=lose_the_lock)
    assert "two" not in tables(database)
    assert two.migrator(database).apply() == ["0003.create-two"]


def test_a_long_name_of_a_database_has_a_lock_too(database: Config, folder: Folder) -> None:
    name = "d" * 64
    rows(database, f"DROP DATABASE IF EXISTS {name}")
    rows(database, f"CREATE DATABASE {name}")
    long = attrs.evolve(database, database=name)
    folder.add("0001.create-one", "CREATE TABLE one (id INT);", "DROP TABLE one;")
    assert folder.migrator(long).apply() == ["0001.create-one"]
    assert facts(long) != []
