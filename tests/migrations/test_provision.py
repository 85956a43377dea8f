"""Databases and accounts for private servers."""

from __future__ import annotations

import json
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import attrs
import pytest

import dal.provision
from dal.errors import ConfigError, ConnectError, MigrationError
from dal.provision import (
    ACCOUNT_OF_ROLE,
    Accounts,
    apply_grants,
    connect,
    create_accounts,
    create_database,
    load_schema,
    prepare_kept,
    prepare_temporary,
)
from dal.secret import Secret
from tests.migrations.helpers import rows, tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dal.config import Config
    from dal.server import PrivateServer


def test_each_role_logs_in_to_its_database(server: PrivateServer) -> None:
    accounts = prepare_temporary(server, "provisioned")
    assert set(accounts.by_role) == set(ACCOUNT_OF_ROLE)
    for role, user in ACCOUNT_OF_ROLE.items():
        found = rows(accounts.config(role), "SELECT DATABASE(), USER()")
        assert found == [("provisioned", f"{user}@localhost")]


def test_a_second_database_takes_the_same_accounts(server: PrivateServer) -> None:
    first = prepare_temporary(server, "provisioned_1")
    second = prepare_temporary(server, "provisioned_2")
    assert first.by_role == second.by_role
    again = prepare_temporary(server, "provisioned_1")
    for accounts in (first, second, again):
        rows(accounts.config("dal_application"), "SELECT * FROM users")


def test_a_database_that_is_there_is_left_as_it_is(server: PrivateServer) -> None:
    accounts = prepare_temporary(server, "provisioned_3")
    rows(accounts.server, "DROP TABLE audit_logs")
    prepare_temporary(server, "provisioned_3")
    assert "audit_logs" not in tables(accounts.server)


def test_a_role_that_is_not_there_is_a_config_error(server: PrivateServer) -> None:
    accounts = prepare_temporary(server, "provisioned")
    with pytest.raises(ConfigError, match="no such role: dal_king"):
        accounts.config("dal_king")


def test_options_go_into_the_config(server: PrivateServer) -> None:
    accounts = prepare_temporary(server, "provisioned")
    config = accounts.config("dal_application", database="mysql", pool_max=3)
    assert (config.database, config.pool_max) == ("mysql", 3)


def test_a_password_is_changed_only_when_asked(database: Config) -> None:
    load_schema(database, database.database)
    apply_grants(database, database.database)
    first = create_accounts(database, host="127.0.0.9", renew=True)
    assert all(account.password for account in first.by_role.values())
    second = create_accounts(database, host="127.0.0.9")
    with pytest.raises(ConfigError, match="dal_app was there before"):
        second.config("dal_application")
    third = create_accounts(database, host="127.0.0.9", renew=True)
    assert third.by_role["dal_application"] != first.by_role["dal_application"]


def test_passwords_show_nowhere(server: PrivateServer) -> None:
    accounts = prepare_temporary(server, "provisioned")
    password = accounts.config("dal_application").password.reveal()
    assert len(password) >= 32
    assert password not in repr(accounts)
    wrong = attrs.evolve(accounts.config("dal_application"), password=Secret("hunter2hunter2"))
    with pytest.raises(ConnectError) as caught:
        connect(wrong)
    assert caught.value.errno == 1045
    assert "hunter2" not in str(caught.value)


@pytest.fixture
def kept(
    server: PrivateServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Accounts]:
    """prepare_kept, with a temporary server in the place of the kept one."""
    monkeypatch.setattr(dal.provision, "kept_start", lambda engine: server)
    monkeypatch.setattr(
        dal.provision, "kept_credentials_path", lambda engine: tmp_path / "accounts.json"
    )
    return lambda database: prepare_kept(server.engine, database=database)


@pytest.fixture
def passwords(tmp_path: Path, server: PrivateServer) -> Path:
    # The accounts get new passwords here, so the ones that other tests would read are void.
    (server.folder / "accounts.json").unlink(missing_ok=True)
    return tmp_path / "accounts.json"


def test_kept_passwords_lie_where_only_the_owner_reads(
    kept: Callable[[str], Accounts], passwords: Path
) -> None:
    accounts = kept("kept")
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    stored = json.loads(passwords.read_text())
    assert set(stored) == set(ACCOUNT_OF_ROLE)
    assert kept("kept").by_role == accounts.by_role
    assert list(passwords.parent.iterdir()) == [passwords]


def test_a_lost_file_of_passwords_is_made_anew_and_the_data_stay(
    kept: Callable[[str], Accounts], passwords: Path
) -> None:
    first = kept("kept_lost")
    rows(first.server, "CREATE TABLE mine (id INT)")
    passwords.unlink()
    second = kept("kept_lost")
    assert second.by_role != first.by_role
    assert "mine" in tables(second.server)
    rows(second.config("dal_application"), "SELECT * FROM users")


def test_a_half_loaded_database_is_made_anew(
    kept: Callable[[str], Accounts], passwords: Path, server: PrivateServer, database: Config
) -> None:
    rows(database, "CREATE TABLE users (id INT)")
    accounts = kept(database.database)
    rows(accounts.config("dal_application"), "SELECT full_name FROM users")


def test_a_file_of_passwords_that_others_can_read_is_refused(
    kept: Callable[[str], Accounts], passwords: Path
) -> None:
    kept("kept")
    passwords.chmod(0o640)
    with pytest.raises(ConfigError, match="can be read by others"):
        kept("kept")


def test_a_broken_file_of_passwords_is_a_config_error(
    kept: Callable[[str], Accounts], passwords: Path
) -> None:
    passwords.write_text("{")
    passwords.chmod(0o600)
    with pytest.raises(ConfigError, match="remove it"):
        kept("kept")


def test_a_password_beyond_latin1_logs_in(database: Config) -> None:
    rows(database, "CREATE OR REPLACE USER 'snow'@'localhost' IDENTIFIED BY 'снег'") if (
        "MariaDB" in rows(database, "SELECT VERSION()")[0][0]
    ) else rows(database, "CREATE USER 'snow'@'localhost' IDENTIFIED BY 'снег'")
    rows(database, f"GRANT ALL ON {database.database}.* TO 'snow'@'localhost'")
    snow = attrs.evolve(database, user="snow", password=Secret("снег"))
    assert rows(snow, "SELECT USER()") == [("snow@localhost",)]


def test_every_connection_has_the_same_session(database: Config) -> None:
    found = rows(
        database,
        "SELECT @@time_zone, @@collation_connection, @@autocommit,"
        " @@sql_mode LIKE '%STRICT_TRANS_TABLES%'",
    )
    assert found == [("+00:00", "utf8mb4_unicode_520_ci", 1, 1)]


def test_tls_that_the_server_does_not_give_is_refused(database: Config) -> None:
    # MySQL has a certificate that it signed itself, MariaDB has none: neither will do.
    with pytest.raises(ConnectError):
        connect(attrs.evolve(database, ssl=True))


def test_a_strange_name_of_a_database_is_quoted(database: Config) -> None:
    name = "a`b; DROP"
    create_database(database, name)
    with closing(connect(database)) as connection, connection.cursor() as cursor:
        assert cursor.execute("SHOW DATABASES LIKE %s", (name,)) == 1


def test_a_file_that_fails_is_named_with_the_servers_words(database: Config) -> None:
    with pytest.raises(MigrationError, match=r"sql/grants\.sql: .*doesn't exist") as caught:
        apply_grants(database, database.database)
    assert caught.value.errno == 1146
    load_schema(database, database.database)
    with pytest.raises(MigrationError, match=r"sql/schema\.sql: .*already exists"):
        load_schema(database, database.database)
