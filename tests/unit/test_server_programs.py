"""Which server a program is, and what is said when there is none. No server is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dal.errors import ConfigError
from dal.server import find_program, identify

if TYPE_CHECKING:
    from pathlib import Path

MARIADB = "{path}  Ver 10.11.18-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)"
MARIADB_UPSTREAM = "{path}  Ver 11.8.2-MariaDB for Linux on x86_64 (MariaDB Server)"
MYSQL_DEBIAN = "{path}  Ver 9.7.4-2 for Linux on x86_64 ((Debian))"
MYSQL_UPSTREAM = "{path}  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)"
MYSQL_OLD = "{path}  Ver 8.0.21 for Linux on x86_64 (MySQL Community Server - GPL)"
PERCONA = "{path}  Ver 8.0.35-27 for Linux on x86_64 (Percona Server (GPL), Release 27)"
MARIADB_CLIENT = "{path}  Ver 15.1 Distrib 10.11.18-MariaDB, for debian-linux-gnu (x86_64)"


def fake(folder: Path, says: str, name: str = "mysqld") -> Path:
    """A program that only knows ``--version``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says.format(path=path)}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cache, no variables, and only the programs that a test puts there."""
    monkeypatch.setenv("DAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("DAL_SERVER_MARIADB", raising=False)
    monkeypatch.delenv("DAL_SERVER_MYSQL", raising=False)
    monkeypatch.setattr("dal.server.programs._SYSTEM_FOLDERS", ())


@pytest.mark.parametrize(
    ("says", "kind", "version"),
    [
        (MARIADB, "mariadb", (10, 11, 18)),
        (MARIADB_UPSTREAM, "mariadb", (11, 8, 2)),
        (MYSQL_DEBIAN, "mysql", (9, 7, 4)),
        (MYSQL_UPSTREAM, "mysql", (8, 0, 36)),
        (PERCONA, "mysql", (8, 0, 35)),
    ],
)
@pytest.mark.parametrize("name", ["mysqld", "mariadbd"])
def test_a_server_is_known_by_its_version_and_not_by_its_name(
    tmp_path: Path, name: str, says: str, kind: str, version: tuple[int, int, int]
) -> None:
    program = identify(fake(tmp_path, says, name))
    assert (program.engine, program.version) == (kind, version)


def test_a_folder_named_mariadb_makes_no_mariadb(tmp_path: Path) -> None:
    assert identify(fake(tmp_path / "x-MariaDB", MYSQL_DEBIAN)).engine == "mysql"


@pytest.mark.parametrize("says", [MARIADB_CLIENT, "postgres (PostgreSQL) 15.3", ""])
def test_anything_else_is_refused(tmp_path: Path, says: str) -> None:
    with pytest.raises(ConfigError, match="neither a MariaDB nor a MySQL"):
        identify(fake(tmp_path, says))


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    with pytest.raises(ConfigError, match=str(absent)):
        identify(absent)


def test_no_option_file_is_read(tmp_path: Path) -> None:
    path = fake(tmp_path / "usr/sbin", MYSQL_DEBIAN)
    assert identify(path).command()[:2] == [str(path), "--no-defaults"]


def test_a_program_in_an_unpacked_tree_runs_on_the_libraries_of_that_tree(tmp_path: Path) -> None:
    libraries = tmp_path / "usr/lib/x86_64-linux-gnu"
    # The loader of this tree: skips its own options and runs the program.
    loader = fake(libraries, "{path}", "ld-linux-x86-64.so.2")
    loader.write_text('#!/bin/sh\nshift 3\nexec "$@"\n', encoding="utf-8")
    path = fake(tmp_path / "usr/sbin", MYSQL_DEBIAN)
    command = identify(path).command()
    assert command[0] == str(loader)
    assert f"{tmp_path}/lib/x86_64-linux-gnu:{libraries}" in command
    assert command.index("--no-defaults") == command.index(str(path)) + 1
    assert f"--basedir={tmp_path}/usr" in command


def test_the_machines_program_is_found_by_what_it_says(tmp_path: Path) -> None:
    # As on Debian: mysqld is a MariaDB.
    path = fake(tmp_path / "bin", MARIADB)
    assert find_program("mariadb").path == path
    with pytest.raises(ConfigError, match=r"is MariaDB 10\.11\.18, not MySQL"):
        find_program("mysql")


def test_the_cache_comes_before_the_machine(tmp_path: Path) -> None:
    fake(tmp_path / "bin", MARIADB_UPSTREAM)
    cached = fake(tmp_path / "cache/servers/mariadb/usr/sbin", MARIADB, "mariadbd")
    assert find_program("mariadb").path == cached


def test_the_variable_comes_before_the_cache_and_must_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path / "cache/servers/mariadb/usr/sbin", MARIADB, "mariadbd")
    named = fake(tmp_path / "own", MARIADB_UPSTREAM)
    monkeypatch.setenv("DAL_SERVER_MARIADB", str(named))
    monkeypatch.setenv("DAL_SERVER_MYSQL", str(named))
    assert find_program("mariadb").path == named
    with pytest.raises(ConfigError, match=r"^DAL_SERVER_MYSQL: .* is MariaDB 11\.8\.2, not MySQL"):
        find_program("mysql")


def test_a_server_that_is_given_is_used_as_it_is(tmp_path: Path) -> None:
    given = fake(tmp_path / "own", MYSQL_UPSTREAM)
    assert find_program("mariadb", given).engine == "mysql"


def test_an_old_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"older than 8\.0\.22"):
        find_program("mysql", fake(tmp_path / "own", MYSQL_OLD))


def test_where_there_is_none_everything_tried_is_named(tmp_path: Path) -> None:
    old = fake(tmp_path / "bin", MYSQL_OLD)
    with pytest.raises(ConfigError) as caught:
        find_program("mysql")
    message = str(caught.value)
    for tried in ("DAL_SERVER_MYSQL", str(tmp_path / "cache/servers/mysql/usr/sbin"), str(old)):
        assert tried in message
    assert message.endswith("run scripts/servers")
