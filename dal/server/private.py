"""The handle of a private server, temporary or kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import quote

from dal.errors import ConnectError
from dal.server.process import wait_ready

if TYPE_CHECKING:
    from pathlib import Path

    from dal.server.programs import Engine, Program


class PrivateServer(ABC):
    """A running server that only its owner's account of the machine can reach.

    ``folder`` has mode 0700 and holds all of it; the database account root has no password, the
    folder is the lock. The methods block.
    """

    def __init__(self, program: Program, folder: Path, socket: Path) -> None:
        self.program = program
        self.folder = folder
        self.socket = socket

    @property
    def engine(self) -> Engine:
        """``mariadb`` or ``mysql``."""
        return self.program.engine

    @property
    def version(self) -> tuple[int, int, int]:
        """Of the program, as it says of itself."""
        return self.program.version

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """The process that serves now, None when there is none."""

    @abstractmethod
    def kill(self) -> None:
        """End the process at once, as a crash would; the data stays.

        Raises:
            ConnectError: the server can no longer be controlled.
        """

    @abstractmethod
    def restart(self) -> None:
        """Stop the process in good order if there is one, and start it again on the same data.

        Raises:
            ConnectError: it did not start; with the end of its error log.
        """

    @abstractmethod
    def stop(self) -> None:
        """Stop for good. Stopping twice is no error."""

    def admin_url(self, database: str | None = None) -> str:
        """The URL of the account that may do everything."""
        path = quote(str(self.socket), safe="/")
        return f"mysql://root@localhost/{quote(database or '', safe='')}?unix_socket={path}"

    def __repr__(self) -> str:
        return f"<{self.program.title} at {self.socket}>"

    def _wait_ready(self) -> None:
        wait_ready(
            self.socket,
            lambda: self.pid is not None,
            self.folder / "error.log",
            self.program.title,
        )

    def _gone(self) -> ConnectError:
        return ConnectError(f"{self.program.title} in {self.folder} has been stopped")
