"""Where the time of a long run went: seconds by file and server, said at its end."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

import pytest

_LONG_RUN_S: Final = 300.0
_SHOWN: Final = 20
_SERVER: Final = re.compile(r"[\[-](mariadb|mysql)[\]-]")


def file_and_server(nodeid: str) -> str:
    """The file of a test, and the server that its name says."""
    file, _, test = nodeid.partition("::")
    found = _SERVER.search(test)
    return f"{file} {found[1]}" if found else file


class Durations:
    """Adds up what each test took, its setup too, in whichever process it ran."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[file_and_server(report.nodeid)] += report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        total = sum(self.seconds.values())
        if total < _LONG_RUN_S:
            return
        terminalreporter.section("seconds by file and server")
        longest = sorted(self.seconds.items(), key=lambda one: one[1], reverse=True)
        for name, seconds in longest[:_SHOWN]:
            terminalreporter.line(f"{seconds:7.0f}  {name}")
        terminalreporter.line(f"{total:7.0f}  all {len(self.seconds)}")
