"""Which process runs which test, where there are several."""

from __future__ import annotations

from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.durations import file_and_server

_LONG: Final = ("tests/scale/", "tests/properties/")


class ByServer(LoadScopeScheduling):  # type: ignore[misc]
    """The tests of one file on one server stay together, so that what a module fills, a database of
    10^6 rows or a server of its own, is made in one process only.

    It goes by the name of the test and not by a mark: pytest 9.2 took away the attribute that
    pytest-xdist 3.8 writes a group into, and without a word each process filled all of it.
    """

    def _split_scope(self, nodeid: str) -> str:
        return file_and_server(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        """The next scope; those of a few tests that take minutes before those of many, or one
        process would wait for the other at the end.
        """
        for scope in reversed([one for one in self.workqueue if one.startswith(_LONG)]):
            self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByServer:
    """As ByServer says, whatever ``--dist`` says."""
    return ByServer(config, log)
