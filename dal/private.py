"""What ``private:`` and ``private:temporary`` stand for: a server of our own, ready to use."""

from __future__ import annotations

import asyncio

from dal.config import Config
from dal.errors import ConfigError
from dal.provision import prepare_kept, prepare_temporary
from dal.server import Engine, PrivateServer, kept_status
from dal.server import start_temporary as start_server

__all__ = ["kept_config", "start_temporary", "stop_unwanted"]

_ROLE = "dal_application"


def kept_config(engine: Engine, role: str = _ROLE) -> Config:
    """How to connect to the kept private server, by the account of a role. Blocks.

    Raises:
        ConfigError: it is not running.
        ConnectError: it cannot be reached.
    """
    if kept_status(engine) is None:
        raise ConfigError(
            f"the kept private {engine} server is not running: dal server start --engine {engine}"
        )
    return prepare_kept(engine).config(role)


def start_temporary(engine: Engine, role: str = _ROLE) -> tuple[PrivateServer, Config]:
    """A new private server with an empty, migrated database, and the account of a role. Blocks.

    The server ends with ``stop()`` or with this process.

    Raises:
        ConfigError: there is no server program, or no such role.
        ConnectError: it did not start.
    """
    server = start_server(engine)
    try:
        return server, prepare_temporary(server).config(role)
    except BaseException:
        server.stop()
        raise


def stop_unwanted(started: asyncio.Future[tuple[PrivateServer, Config]]) -> None:
    """Stop what :func:`start_temporary` has started for a caller who was cancelled meanwhile."""
    if not started.cancelled() and started.exception() is None:
        started.result()[0].stop()
