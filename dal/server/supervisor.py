"""A program of its own: runs one temporary server and ends it, and its folder, with the owner.

    python -I -S supervisor.py FOLDER OWNER_PID

It obeys lines of JSON on its standard input, a pipe whose other end only the owner holds, and
answers each with one. The end of the input means that the owner is gone. So does another parent: a
child forked by the owner may hold the owner's end open. It also holds the lock, inherited open,
that says that the folder is in use; the server never gets that.

Standard library only, and nothing of this package: it must start in a few milliseconds.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from typing import Any

_LOOK_FOR_OWNER_S = 0.5
_STOP_TIMEOUT_S = 60
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Obey until the owner is gone, then leave nothing."""
    folder, owner = sys.argv[1], int(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    server: subprocess.Popen[bytes] | None = None
    try:
        while line := _next_line(owner):
            server, answer = _obey(json.loads(line), server)
            sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        pass  # the owner ended while it was being answered
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if server:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)  # nothing is to be flushed to an owner that is gone


def _next_line(owner: int) -> bytes:
    """The next order, nothing when the owner is gone. An order is one line, written at once."""
    while not select.select([sys.stdin], [], [], _LOOK_FOR_OWNER_S)[0]:
        if os.getppid() != owner:
            return b""
    return sys.stdin.buffer.readline()


def _obey(
    order: dict[str, Any], server: subprocess.Popen[bytes] | None
) -> tuple[subprocess.Popen[bytes] | None, dict[str, Any]]:
    if order["do"] == "start":
        try:
            server = _start(order["command"], order["environment"])
        except OSError as error:
            return None, {"error": str(error)}
    elif order["do"] == "kill" and server:
        server.kill()
        server.wait()
    elif order["do"] == "terminate" and server:
        server.terminate()
        try:
            server.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    alive = server is not None and server.poll() is None
    return server, {"pid": server.pid if server and alive else None}


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None)

    def die_with_supervisor() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return subprocess.Popen(  # noqa: S603 - what the owner was given to run
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_supervisor,
    )


if __name__ == "__main__":
    main()
