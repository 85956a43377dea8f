"""``dal server``: the kept private server."""

from __future__ import annotations

from pathlib import Path

from dal.cli import output
from dal.cli.options import Json
from dal.provision import prepare_kept
from dal.server import Engine, PrivateServer, kept_start, kept_status, kept_stop

__all__ = ["start", "status", "stop"]

_ENGINES: tuple[Engine, ...] = ("mariadb", "mysql")


def address(engine: Engine) -> str:
    """What to pass as a URL to mean the kept server of an engine."""
    return "private:" if engine == "mariadb" else f"private:?engine={engine}"


def _facts(engine: Engine, running: PrivateServer | None) -> dict[str, object]:
    if running is None:
        return {"engine": engine, "running": False}
    return {
        "engine": engine,
        "running": True,
        "version": ".".join(map(str, running.version)),
        "pid": running.pid,
        "socket": str(running.socket),
        "url": address(engine),
    }


def start(*, engine: Engine = "mariadb", server: Path | None = None, json_: Json = False) -> int:
    """Start the kept private server, with its database and accounts; what private: means.

    It listens on a Unix socket in a folder of the cache that is yours alone, and stays until
    `dal server stop`. Its data stay longer. No database service of the machine is touched.

    Args:
        server: The server program; by default the one of scripts/servers, else the machine's.
    """
    running = kept_start(engine, server=server)
    prepare_kept(engine)
    if json_:
        output.print_json(_facts(engine, running))
    else:
        output.say(f"{running.program.title} runs at {running.socket}")
        output.say(f"use it:  export DAL_URL='{address(engine)}'")
    return 0


def stop(*, engine: Engine | None = None, json_: Json = False) -> int:
    """Stop the kept private server; its data stay.

    Args:
        engine: By default whichever runs.
    """
    stopped = [one for one in ([engine] if engine else _ENGINES) if kept_stop(one)]
    if json_:
        output.print_json({"stopped": stopped})
    else:
        output.say(f"stopped: {', '.join(stopped)}" if stopped else "none was running")
    return 0


def status(*, engine: Engine | None = None, json_: Json = False) -> int:
    """Show which kept private server runs; exit status 1 if none does.

    Args:
        engine: By default both.
    """
    found = [_facts(one, kept_status(one)) for one in ([engine] if engine else _ENGINES)]
    if json_:
        output.print_json({"servers": found})
    else:
        columns = ["engine", "state", "version", "pid", "socket"]
        output.table(
            columns,
            [
                (
                    one["engine"],
                    "runs" if one["running"] else "stopped",
                    *(one.get(column) for column in columns[2:]),
                )
                for one in found
            ],
        )
    return 0 if any(one["running"] for one in found) else 1
