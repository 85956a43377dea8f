"""Private servers, both engines, real: closed to others, and gone when they should be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql
import pytest

from dal.errors import ConnectError
from dal.server import (
    Engine,
    PrivateServer,
    find_program,
    kept_credentials_path,
    kept_start,
    kept_status,
    kept_stop,
    start_temporary,
    temporary,
)
from dal.server.process import greets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAIT_S = 30.0
ROOT = Path(__file__).resolve().parents[2]
OWNER = """
import os, sys, time
from dal.server import start_temporary
server = start_temporary(sys.argv[1])
if sys.argv[2] == "forks" and os.fork() == 0:
    # Holds whatever the owner held open, and outlives it.
    time.sleep(600)
print(server.pid, server.folder, flush=True)
if sys.argv[2] != "ends":
    time.sleep(600)
"""


def wait_until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < deadline, f"not within {WAIT_S} s: {what}"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    """Whether a process lives; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ask(server: PrivateServer, *statements: str) -> tuple[tuple[object, ...], ...]:
    """Run statements as root and return the rows of the last one."""
    connection = pymysql.connect(user="root", unix_socket=str(server.socket), autocommit=True)
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return tuple(cursor.fetchall())
    finally:
        connection.close()


def answers(server: PrivateServer) -> bool:
    """Whether there is a process and it answers; both or neither."""
    assert (server.pid is not None) == greets(server.socket)
    return server.pid is not None


def listening_tcp(pid: int) -> list[str]:
    """The listening TCP sockets of a process."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    lines = []
    for table in ("tcp", "tcp6"):
        path = Path(f"/proc/{pid}/net/{table}")
        if path.exists():
            lines += path.read_text().splitlines()[1:]
    return [line for line in lines if line.split()[3] == "0A" and line.split()[9] in inodes]


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> Iterator[Path]:
    """A cache of its own, with the servers that there are."""
    monkeypatch.setenv(f"DAL_SERVER_{engine.upper()}", str(find_program(engine).path))
    monkeypatch.setenv("DAL_CACHE_DIR", str(tmp_path))
    yield tmp_path
    kept_stop(engine)


def test_only_the_folder_leads_in(engine: Engine) -> None:
    with temporary(engine) as server:
        assert server.pid is not None
        assert server.folder.stat().st_mode & 0o777 == 0o700
        assert server.socket.parent == server.folder
        assert listening_tcp(server.pid) == []
        ((port_is_off, performance_schema, collation),) = ask(
            server, "SELECT @@skip_networking, @@performance_schema, @@collation_server"
        )
        assert (port_is_off, performance_schema) == (1, 1)
        assert collation == "utf8mb4_unicode_520_ci"
        people = ask(
            server, "SELECT User, Host FROM mysql.user WHERE User NOT LIKE '%.%' ORDER BY User"
        )
        assert people == (("root", "localhost"),)
        assert ("test",) not in ask(server, "SHOW DATABASES")
        version = ".".join(map(str, server.version))
        ((says,),) = ask(server, "SELECT VERSION()")
        assert str(says).startswith(version)
        assert ("MariaDB" in str(says)) == (server.engine == "mariadb")
    assert not server.folder.exists()


@pytest.mark.parametrize("how", ["is killed", "forks", "ends"])
def test_a_temporary_server_is_gone_with_its_owner(engine: Engine, how: str) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, engine, how],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert owner.stdout is not None
    with owner.stdout:
        pid, folder = owner.stdout.readline().split(maxsplit=1)
        try:
            if how != "ends":
                assert runs(int(pid))
                owner.kill()
            owner.wait(WAIT_S)
            wait_until(lambda: not runs(int(pid)), f"the end of process {pid}")
            wait_until(lambda: not Path(folder.strip()).exists(), f"the removal of {folder}")
        finally:
            if how == "forks":
                os.killpg(owner.pid, signal.SIGKILL)


def test_a_folder_left_because_the_supervisor_was_killed_is_swept(engine: Engine) -> None:
    abandoned = start_temporary(engine)
    pid = abandoned.pid
    assert pid is not None
    supervisor = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not runs(pid), "the end of the server without supervisor")
    assert abandoned.folder.exists()
    with pytest.raises(ConnectError, match="has been stopped"):
        abandoned.restart()
    with temporary(engine) as other:
        assert not abandoned.folder.exists()
        assert other.folder.exists()
    abandoned.stop()


def test_what_was_committed_survives_a_kill(engine: Engine) -> None:
    with temporary(engine) as server:
        ask(server, "CREATE DATABASE d", "CREATE TABLE d.t (a INT PRIMARY KEY)")
        ask(server, "INSERT INTO d.t VALUES (7)")
        before = server.pid
        server.kill()
        assert not answers(server)
        server.restart()
        assert answers(server)
        assert server.pid != before
        assert ask(server, "SELECT a FROM d.t") == ((7,),)
        server.restart()
        assert ask(server, "SELECT a FROM d.t") == ((7,),)


def test_the_callers_options_win(engine: Engine) -> None:
    options = ("--max-connections=17", "--innodb-flush-log-at-trx-commit=1")
    with temporary(engine, options=options) as server:
        assert ask(server, "SELECT @@max_connections, @@innodb_flush_log_at_trx_commit") == (
            (17, 1),
        )


def test_a_failed_start_shows_the_error_log_and_leaves_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ConnectError, match="no-such-option"):
        start_temporary(engine, options=["--no-such-option"])
    assert [path for path in tmp_path.iterdir() if path.name.startswith("dal-")] == []


def test_a_stopped_server_stays_stopped(engine: Engine) -> None:
    server = start_temporary(engine)
    server.stop()
    server.stop()
    assert server.pid is None
    with pytest.raises(ConnectError, match="has been stopped"):
        server.restart()


@pytest.mark.usefixtures("own_cache")
def test_two_starts_at_once_give_one_kept_server(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as several:
        started = list(several.map(lambda _: kept_start(engine), range(4)))
    assert len({server.pid for server in started}) == 1
    assert started[0].folder.stat().st_mode & 0o777 == 0o700
    assert kept_credentials_path(engine).parent == started[0].folder
    assert started[0].pid is not None
    assert listening_tcp(started[0].pid) == []


@pytest.mark.usefixtures("own_cache")
def test_a_kept_server_keeps_its_data_until_it_is_stopped_and_after(engine: Engine) -> None:
    assert kept_status(engine) is None
    assert kept_stop(engine) is False
    first = kept_start(engine)
    ask(first, "CREATE DATABASE kept_here")
    assert ask(first, "SELECT @@innodb_flush_log_at_trx_commit") == ((1,),)
    found = kept_status(engine)
    assert found is not None
    assert (found.pid, found.socket, found.version) == (first.pid, first.socket, first.version)
    assert kept_stop(engine) is True
    assert first.pid is None
    assert kept_status(engine) is None
    again = kept_start(engine)
    assert ("kept_here",) in ask(again, "SHOW DATABASES")
    again.kill()
    assert kept_status(engine) is None
    again.restart()
    assert ("kept_here",) in ask(again, "SHOW DATABASES")


@pytest.mark.usefixtures("own_cache")
def test_the_file_that_the_server_writes_its_number_into_may_be_empty(engine: Engine) -> None:
    """As it is for a moment while the server starts: that is not a server that has ended."""
    kept = kept_start(engine)
    number = kept.pid
    (kept.folder / "server.pid").write_bytes(b"")
    assert kept.pid == number is not None
    found = kept_status(engine)
    assert found is not None
    assert found.pid == number


def test_a_kept_server_outlives_its_starter(engine: Engine, own_cache: Path) -> None:
    starter = "import sys, dal.server; print(dal.server.kept_start(sys.argv[1]).pid)"
    done = subprocess.run(
        [sys.executable, "-c", starter, engine],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = kept_status(engine)
    assert found is not None
    assert found.pid == int(done.stdout)
    assert found.folder.is_relative_to(own_cache)


def test_a_process_number_of_somebody_else_is_not_a_running_server(
    engine: Engine, own_cache: Path
) -> None:
    started = kept_start(engine)
    started.kill()
    (own_cache / "kept" / engine / "server.pid").write_text(f"{os.getpid()}\n")
    assert kept_status(engine) is None
    assert kept_stop(engine) is False
    assert kept_start(engine).pid not in (None, os.getpid())


@pytest.mark.usefixtures("own_cache")
def test_a_cache_too_deep_for_a_socket(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAL_CACHE_DIR", str(tmp_path / ("x" * 60) / ("y" * 60)))
    server = kept_start(engine)
    elsewhere = server.socket.parent
    assert elsewhere != server.folder
    assert elsewhere.stat().st_mode & 0o777 == 0o700
    found = kept_status(engine)
    assert found is not None
    assert found.socket == server.socket
    server.kill()
    server.restart()
    assert server.socket.parent == elsewhere
    server.stop()
    assert not elsewhere.exists()
