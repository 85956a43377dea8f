"""``dal doctor``."""

from __future__ import annotations

from collections import Counter

from dal.cli import output
from dal.cli.checks import examine
from dal.cli.options import Json, Url

__all__ = ["doctor"]


def doctor(*, url: Url = None, json_: Json = False) -> int:
    """Say what is wrong with this installation and its server, and how to mend it.

    It changes nothing: statements are explained, never run. Give it the application's account, as
    the application has it. Exit status 1 if anything fails.
    """
    findings = list(examine(url))
    counts = Counter(one.result for one in findings)
    if json_:
        output.print_json({"failed": counts["fail"], "warned": counts["warn"], "checks": findings})
    else:
        output.table(
            ["check", "result", "found", "mend"],
            [(one.check, one.result, one.found, one.mend or "") for one in findings],
        )
        output.say(f"{counts['ok']} ok, {counts['warn']} warnings, {counts['fail']} failed")
    return 1 if counts["fail"] else 0
