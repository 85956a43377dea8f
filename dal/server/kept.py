"""Kept servers: one per engine, in the cache, running until they are stopped.

The process itself holds a lock (a file inherited when it started), so whether it runs is known from
the kernel and not from a process number in a file, which may by now be another's.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, TypedDict

from dal.errors import ConfigError, ConnectError
from dal.server import data, process
from dal.server.private import PrivateServer
from dal.server.programs import Engine, Program, cache_folder, find_program

_STOP_TIMEOUT_S: Final = 60.0
_SOCKET: Final = "server.sock"
_STATE: Final = "state.json"
# Not the file that the server writes itself: that one is empty for a moment while it starts.
_PID: Final = "started.pid"
_RUNNING_LOCK: Final = "running.lock"
# Durable, unlike a temporary one: somebody's data live here.
_DURABLE: Final = (
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-doublewrite=ON",
    "--innodb-buffer-pool-size=256M",
)
# "$@" as a child of nobody, so that it is never left over as a zombie of ours.
_DETACH: Final = '"$@" </dev/null >/dev/null 2>&1 & echo $!'


class _State(TypedDict):
    """state.json: what a later process must know of the running server."""

    program: str
    engine: Engine
    version: list[int]
    socket: str


def kept_credentials_path(engine: Engine) -> Path:
    """Where the passwords of a kept server's accounts are written (mode 0600) and read.

    Raises:
        ConfigError: there is no folder for the cache.
    """
    return _folder(engine) / "accounts.json"


def kept_start(engine: Engine = "mariadb", *, server: Path | None = None) -> PrivateServer:
    """Start the kept server of an engine, or return the one that runs.

    Two starts at once give one server. A running one is returned whatever ``server`` says.

    Raises:
        ConfigError: there is no server program, or the cache cannot be written.
        ConnectError: the server did not start; with the end of its error log.
    """
    with data.exclusive(_control_lock(engine)):
        running = _attach(engine)
        if running:
            return running
        program = find_program(engine, server)
        if program.engine != engine:
            raise ConfigError(f"{program.path} is {program.title}, the folder is for {engine}")
        folder = _folder(engine)
        started = _Kept(program, folder, folder / _SOCKET)
        started.start()
        return started


def kept_status(engine: Engine) -> PrivateServer | None:
    """The kept server of an engine if it runs.

    Raises:
        ConfigError: there is no folder for the cache.
        ConnectError: it runs but does not answer.
    """
    with data.exclusive(_control_lock(engine)):
        return _attach(engine)


def kept_stop(engine: Engine) -> bool:
    """Stop the kept server of an engine; its data stay. False if none ran.

    Raises:
        ConfigError: there is no folder for the cache.
    """
    with data.exclusive(_control_lock(engine)):
        if not _is_held(_folder(engine)):
            return False
        _end(_folder(engine), signal.SIGTERM)
        _forget_socket(_folder(engine))
        return True


class _Kept(PrivateServer):
    @property
    def pid(self) -> int | None:
        return _pid(self.folder) if _is_held(self.folder) else None

    def kill(self) -> None:
        with data.exclusive(_control_lock(self.engine)):
            _end(self.folder, signal.SIGKILL)

    def restart(self) -> None:
        with data.exclusive(_control_lock(self.engine)):
            _end(self.folder, signal.SIGTERM)
            self.start()

    def stop(self) -> None:
        kept_stop(self.engine)

    def start(self) -> None:
        """Start the process; the caller holds the control lock."""
        self._make_data()
        self.socket = _socket_path(self.folder)
        process.remove_socket(self.socket)
        self._write_state()
        command = [
            *self.program.command(),
            *process.base_options(self.program, self.folder, self.socket),
            *_DURABLE,
        ]
        with (self.folder / _RUNNING_LOCK).open("w") as lock:
            # It is free; whoever looks holds it for a moment.
            fcntl.flock(lock, fcntl.LOCK_EX)
            shell = subprocess.run(  # noqa: S603
                ["/bin/sh", "-c", _DETACH, "sh", *command],
                env=self.program.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                pass_fds=[lock.fileno()],
                start_new_session=True,
                cwd="/",
                umask=0o077,
                check=True,
            )
        _replace(self.folder / _PID, shell.stdout)
        try:
            self._wait_ready()
        except BaseException:
            _end(self.folder, signal.SIGKILL)
            raise

    def _make_data(self) -> None:
        scratch = self.folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        ready = self.folder / "data"
        if ready.is_dir():
            return
        half = self.folder / "data-work"  # of a start that was killed
        shutil.rmtree(half, ignore_errors=True)
        data.new_data_folder(self.program, half)
        half.rename(ready)

    def _write_state(self) -> None:
        state: _State = {
            "program": str(self.program.path),
            "engine": self.program.engine,
            "version": list(self.program.version),
            "socket": str(self.socket),
        }
        _replace(self.folder / _STATE, json.dumps(state).encode())


def _folder(engine: Engine) -> Path:
    return cache_folder() / "kept" / engine


def _control_lock(engine: Engine) -> Path:
    """The lock of whoever starts, stops or looks; made with the folder."""
    folder = _folder(engine)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"cannot write the cache: {error}; set DAL_CACHE_DIR") from error
    return folder / "control.lock"


def _attach(engine: Engine) -> _Kept | None:
    folder = _folder(engine)
    if not _is_held(folder):
        return None
    state = _read_state(folder)
    if state is None:
        raise ConnectError(f"a server runs in {folder}, but {_STATE} there cannot be read")
    major, minor, patch = state["version"]
    program = Program(state["engine"], (major, minor, patch), Path(state["program"]))
    found = _Kept(program, folder, Path(state["socket"]))
    found._wait_ready()  # its starter may have been killed half way
    return found


def _is_held(folder: Path) -> bool:
    """Whether a server process runs on this folder."""
    try:
        with (folder / _RUNNING_LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _end(folder: Path, how: signal.Signals) -> None:
    """Signal the server, if one runs, and wait until it is gone; at last by SIGKILL."""
    sent = None
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while _is_held(folder):
        if time.monotonic() > deadline:
            how = signal.SIGKILL
        pid = _pid(folder)
        if pid and sent != how:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, how)
            sent = how
        time.sleep(process.POLL_S)


def _pid(folder: Path) -> int | None:
    """The process number last written; to be trusted only while the lock is held."""
    try:
        return int((folder / _PID).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _replace(path: Path, content: bytes) -> None:
    """Write a file that others never see empty or half."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)


def _read_state(folder: Path) -> _State | None:
    try:
        state: _State = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state


def _socket_path(folder: Path) -> Path:
    """In the folder, or where that is too deep for a socket, in a private one under /tmp."""
    path = folder / _SOCKET
    if process.fits(path):
        return path
    state = _read_state(folder)
    if state and _is_private(Path(state["socket"]).parent):
        return Path(state["socket"])
    return Path(tempfile.mkdtemp(prefix="dal-kept-", dir="/tmp"), _SOCKET)


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    )


def _forget_socket(folder: Path) -> None:
    state = _read_state(folder)
    if state and Path(state["socket"]).parent not in (folder, Path("/")):
        shutil.rmtree(Path(state["socket"]).parent, ignore_errors=True)
