"""Which process runs which test, where there are several."""

from __future__ import annotations

import re
from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_SERVER: Final = re.compile(r"[\[-](mariadb|mysql)[\]-]")


class ByServer(LoadScopeScheduling):  # type: ignore[misc]
    """Tests of one server stay together, so that each server, and each large database that a module
    fills, is made in one process only; the others by their files.

    It goes by the name of the test and not by a mark: pytest 9.2 took away the attribute that
    pytest-xdist 3.8 writes a group into, and without a word each process started both servers.
    """

    def _split_scope(self, nodeid: str) -> str:
        found = _SERVER.search(nodeid)
        return found[1] if found else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByServer:
    """As ByServer says, whatever ``--dist`` says."""
    return ByServer(config, log)
