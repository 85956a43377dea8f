"""What is true of any server process: its options, its socket, its error log."""

from __future__ import annotations

import os
import pwd
import socket
import time
from typing import TYPE_CHECKING, Final

from dal.errors import ConnectError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dal.server.programs import Program

START_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.01
# sun_path has 108 bytes, the last one is 0.
SOCKET_PATH_BYTES: Final = 107
_LOG_LINES: Final = 15

# Certificates and keys would only cost time, for a socket that needs none.
MYSQL_OPTIONS: Final = (
    "--mysqlx=OFF",
    "--secure-file-priv=NULL",
    "--loose-auto-generate-certs=OFF",
    "--loose-caching-sha2-password-auto-generate-rsa-keys=OFF",
    "--loose-sha256-password-auto-generate-rsa-keys=OFF",
)


def base_options(program: Program, folder: Path, socket_path: Path) -> list[str]:
    """Options that each private server has, in `folder`.

    Row counts of the performance schema are for the tests, whence it is on for MariaDB as well; a
    binary log would only demand SUPER for triggers. Native AIO is off because its number is
    limited for the whole machine.
    """
    options = [
        f"--datadir={folder}/data",
        f"--tmpdir={folder}/scratch",
        f"--socket={socket_path}",
        f"--pid-file={folder}/server.pid",
        f"--log-error={folder}/error.log",
        "--skip-networking",
        "--skip-name-resolve",
        "--skip-log-bin",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_unicode_520_ci",
        "--max-connections=200",
        # A prompt of 16 MiB, each character of it escaped, with its statement around it.
        "--max-allowed-packet=64M",
        "--local-infile=0",
        "--performance-schema=ON",
        "--innodb-use-native-aio=OFF",
        *as_this_user(),
    ]
    if program.engine == "mysql":
        return [*options, *MYSQL_OPTIONS]
    return [*options, f"--secure-file-priv={folder}/scratch"]


def as_this_user() -> list[str]:
    """Both servers refuse to run as root unless told so."""
    return [f"--user={pwd.getpwuid(0).pw_name}"] if os.geteuid() == 0 else []


def fits(socket_path: Path) -> bool:
    """Whether a path, and that of MySQL's lock file beside it, is short enough for a socket."""
    return len(os.fsencode(f"{socket_path}.lock")) <= SOCKET_PATH_BYTES


def remove_socket(socket_path: Path) -> None:
    """Remove what a killed server left, for its process number may be another's by now."""
    socket_path.unlink(missing_ok=True)
    socket_path.with_name(f"{socket_path.name}.lock").unlink(missing_ok=True)


def greets(socket_path: Path) -> bool:
    """Whether a server answers at a socket with the first packet of the protocol."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(socket_path))
            # Length (3 bytes), number (1), then the protocol version, or 255 when it is too busy.
            head = connection.recv(5, socket.MSG_WAITALL)
        except OSError:
            return False
    return len(head) == 5 and head[4] in (10, 255)


def wait_ready(socket_path: Path, is_alive: Callable[[], bool], error_log: Path, name: str) -> None:
    """Wait until a started server answers.

    Raises:
        ConnectError: it ended, or did not answer in time; with the end of its error log.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while not greets(socket_path):
        if not is_alive():
            raise ConnectError(f"{name} ended while it started:\n{log_tail(error_log)}")
        if time.monotonic() > deadline:
            raise ConnectError(
                f"{name} did not answer within {START_TIMEOUT_S:.0f} s:\n{log_tail(error_log)}"
            )
        time.sleep(POLL_S)


def log_tail(error_log: Path) -> str:
    """The last lines of an error log, for a message."""
    try:
        lines = error_log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    return "\n".join(lines[-_LOG_LINES:]) or "(its error log is empty)"
