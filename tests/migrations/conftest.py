"""A private server of each kind, and on it a database of its own for each test."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from dal.config import Config, parse
from dal.provision import create_database
from dal.server import temporary
from tests.migrations.helpers import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dal.server import Engine, PrivateServer

_numbers = count(1)


@pytest.fixture(scope="session")
def server(engine: Engine) -> Iterator[PrivateServer]:
    """A server of this suite's own, since it changes rights and accounts."""
    with temporary(engine) as started:
        yield started


@pytest.fixture
def database(server: PrivateServer) -> Config:
    """An empty database, and its administrator."""
    name = f"migrations_{next(_numbers)}"
    config = parse(server.admin_url(name))
    assert isinstance(config, Config)
    create_database(config, name)
    return config


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "migrations"
    path.mkdir()
    return Folder(path)
