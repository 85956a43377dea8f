"""Select lists: said once a record, and written into every file that returns the record.

``sql/select_lists.sql`` has the list of each record that several files return. The files stay
whole: what is in a file is what runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from dal.errors import StatementError

__all__ = ["parse_select_lists", "rewritten", "statement_files"]

_RECORD: Final = re.compile(r"-- (?P<record>[A-Z]\w*)(?:: (?P<base>[A-Z]\w*) and)?\Z")
_RETURNS: Final = re.compile(r"^-- returns: (?:one|find|many) (\w+)$", re.MULTILINE)
_LIST: Final = re.compile(
    r"^(?P<head>SELECT(?: STRAIGHT_JOIN)?)[ \n]+(?P<list>.*?)(?P<tail>\nFROM )",
    re.MULTILINE | re.DOTALL,
)


def parse_select_lists(text: str) -> dict[str, tuple[str, ...]]:
    """Record -> the lines of its list, without the indentation that a file gives them.

    A record that begins with all columns of another says so: ``-- Template: TemplateSummary and``.

    Raises:
        StatementError: a list is empty, or begins with one that does not stand before it.
    """
    lists: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in text.splitlines():
        match = _RECORD.match(line)
        if match is not None:
            base = match["base"]
            if base is not None and not lists.get(base):
                raise StatementError(f"select list of {match['record']}: no list of {base} before")
            lines = lists[match["record"]] = [*lists[base]] if base else []
            if lines:
                lines[-1] += ","
        elif line.strip() and not line.startswith("--"):
            if lines is None:
                raise StatementError(f"select lists: whose column is this? {line!r}")
            lines.append(line)
    empty = sorted(record for record, of_one in lists.items() if not of_one)
    if empty:
        raise StatementError(f"select list without a column: {', '.join(empty)}")
    return {record: tuple(of_one) for record, of_one in lists.items()}


def rewritten(text: str, lists: Mapping[str, tuple[str, ...]]) -> str:
    """The text of a file, with the list of the record that it returns; as it is without a list.

    Raises:
        StatementError: it returns a record with a list, and has no SELECT list of its own.
    """
    returns = _RETURNS.search(text)
    lines = lists.get(returns[1]) if returns else None
    if lines is None:
        return text
    match = _LIST.search(text)
    if match is None:
        raise StatementError("no SELECT ... FROM where its list could stand")
    body = f" {lines[0]}" if len(lines) == 1 else "".join(f"\n    {line}" for line in lines)
    return f"{text[: match.start()]}{match['head']}{body}{text[match.start('tail') :]}"


def statement_files(sql: Path) -> Iterator[tuple[str, Path]]:
    """Name and file of every statement below a folder."""
    for path in sorted(sql.glob("*/*.sql")):
        yield f"{path.parent.name}/{path.stem}", path
