"""Temporary servers: process and folder are gone with their owner, however that ends."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dal.errors import ConnectError
from dal.server import data, process
from dal.server.private import PrivateServer
from dal.server.programs import Engine, Program, find_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PREFIX: Final = "dal-tmp-"
_SOCKET: Final = "server.sock"
# What was committed survives a SIGKILL of the server, not a power cut: nobody waits for a disk.
_FAST: Final = (
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=64M",
    "--innodb-buffer-pool-load-at-startup=OFF",
    "--innodb-buffer-pool-dump-at-shutdown=OFF",
    "--innodb-log-buffer-size=8M",
    # Plans must not change in the middle of a test.
    "--innodb-stats-auto-recalc=OFF",
    # The counters are wanted, long histories of all threads are not: 20 MB, 100 MB on MySQL.
    "--performance-schema-digests-size=1000",
    "--performance-schema-events-stages-history-long-size=100",
    "--performance-schema-events-statements-history-long-size=100",
    "--performance-schema-events-transactions-history-long-size=100",
    "--performance-schema-events-waits-history-long-size=100",
)
_SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")


@contextmanager
def temporary(
    engine: Engine = "mariadb", *, server: Path | None = None, options: Sequence[str] = ()
) -> Iterator[PrivateServer]:
    """Run a server of its own for the body of a ``with``.

    ``options`` are the server's, and win over ours: ``("--innodb-flush-log-at-trx-commit=1",)``.

    Raises:
        ConfigError: there is no server program, or the cache cannot be written.
        ConnectError: the server did not start; with the end of its error log.
    """
    started = start_temporary(engine, server=server, options=options)
    try:
        yield started
    finally:
        started.stop()


def start_temporary(
    engine: Engine = "mariadb", *, server: Path | None = None, options: Sequence[str] = ()
) -> PrivateServer:
    """Start a server that runs until its ``stop()`` or the end of this process.

    Raises:
        ConfigError: there is no server program, or the cache cannot be written.
        ConnectError: the server did not start; with the end of its error log.
    """
    program = find_program(engine, server)
    _sweep()
    started = _Temporary(program, options)
    try:
        started.begin()
    except BaseException:
        started.stop()
        raise
    return started


class _Temporary(PrivateServer):
    def __init__(self, program: Program, options: Sequence[str]) -> None:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_short_parent()))
        super().__init__(program, folder, folder / _SOCKET)
        self._options = list(options)
        self._owner = os.getpid()
        self._orders = threading.Lock()
        # Before the data is copied: from here on somebody else clears up after us.
        self._supervisor: subprocess.Popen[bytes] | None = _supervise(folder)

    def begin(self) -> None:
        (self.folder / "scratch").mkdir()
        data.new_data_folder(self.program, self.folder / "data")
        self._start()

    @property
    def pid(self) -> int | None:
        answer = self._order("look") if self._supervisor else {"pid": None}
        pid: int | None = answer["pid"]
        return pid

    def kill(self) -> None:
        self._order("kill")

    def restart(self) -> None:
        self._order("terminate")
        self._start()

    def stop(self) -> None:
        if os.getpid() != self._owner:
            return  # a forked child: the server is not its own to stop
        with self._orders:
            supervisor, self._supervisor = self._supervisor, None
            if supervisor:
                # The end of its input is all it takes.
                supervisor.communicate()

    def _start(self) -> None:
        process.remove_socket(self.socket)
        command = [
            *self.program.command(),
            *process.base_options(self.program, self.folder, self.socket),
            *_FAST,
            *data.redo_log_options(self.program, 64),
            *self._options,
        ]
        answer = self._order("start", command=command, environment=self.program.environment())
        if "error" in answer:
            raise ConnectError(f"{self.program.title} cannot be run: {answer['error']}")
        self._wait_ready()

    def _order(self, order: str, **details: object) -> dict[str, Any]:
        with self._orders:
            if self._supervisor is None:
                raise self._gone()
            to, back = self._supervisor.stdin, self._supervisor.stdout
            assert to is not None  # noqa: S101 - both are pipes
            assert back is not None  # noqa: S101
            try:
                to.write(json.dumps({"do": order, **details}).encode() + b"\n")
                to.flush()
                line = back.readline()
            except BrokenPipeError as error:
                raise self._gone() from error
            if not line:
                raise self._gone()
            answer: dict[str, Any] = json.loads(line)
            return answer


def _supervise(folder: Path) -> subprocess.Popen[bytes]:
    # The lock is held from the moment the file can be seen: a sweep never takes a live folder.
    fresh = folder / ".lock"
    with fresh.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fresh.rename(folder / "lock")
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(_SUPERVISOR), str(folder), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[lock.fileno()],
            # Out of reach of a Ctrl-C, which is for the owner.
            start_new_session=True,
            cwd="/",
        )


def _short_parent() -> str:
    """The temp folder, or /tmp where that is too deep for a socket."""
    parent = tempfile.gettempdir()
    fits = process.fits(Path(parent, f"{_PREFIX}12345678", _SOCKET))
    return parent if fits else "/tmp"  # noqa: S108


def _sweep() -> None:
    """Remove folders whose supervisor was killed too, which left nobody to do it."""
    for folder in Path(_short_parent()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # in use, or just gone
            if folder.lstat().st_uid != os.geteuid():
                continue
            with (folder / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
