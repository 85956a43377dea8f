"""The command line: ``dal``, or ``python -m dal``.

``reading`` and ``planning`` turn a file into batches without a database, ``importing`` puts them
in; ``plans`` fills in and explains a statement; ``checks`` is what the doctor looks at. One module
a group of commands is on top of them, and ``app`` puts these together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

__all__ = ["main"]

_EXTRAS = frozenset({"cyclopts", "rich", "sqlparse", "yoyo"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit status: 0 done, 1 the data, 2 the call or the connection.

    ``arguments`` are those of the process unless given. What goes wrong is one message on stderr.
    """
    _open_streams()
    _speak_utf8()
    try:
        # What `pip install dal` alone brings is not enough for the command line.
        from dal.cli.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRAS:
            raise
        sys.stderr.write(f"dal: {error.name} is not installed: pip install 'dal[cli]'\n")
        return 2
    try:
        status = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads (head, less) has enough. Python would complain once more at its end.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _open_streams() -> None:
    """A job without a terminal may be started without any stream."""
    # They stay open as long as the process does, as those that they stand for would.
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _speak_utf8() -> None:
    """JSON is UTF-8 whatever the locale; a terminal keeps its own, and is never an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
