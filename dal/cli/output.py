"""What a command says: tables and bars on a terminal, plain lines in a pipe, JSON when asked."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import attrs
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

__all__ = [
    "advancing",
    "complain",
    "dumped",
    "note",
    "print_json",
    "printable",
    "say",
    "table",
    "tree",
]

# Everything that moves a cursor, rings, or reorders text: it may come from a stored name.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_PASSWORD: Final = re.compile(r"(\w:/+[^:/@\s]*):(?!password@)[^\s]*@")
_STYLES: Final = {
    "ok": "green",
    "applied": "green",
    "warn": "yellow",
    "pending": "yellow",
    "fail": "bold red",
    "edited": "bold red",
    "missing": "bold red",
}


def printable(text: str) -> str:
    """``text`` with control characters written out, so that no stored name moves the cursor."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str = "") -> None:
    """A line, or a few, on stdout."""
    sys.stdout.write(f"{printable(text)}\n")


def note(text: str) -> None:
    """A line on stderr: a remark, a bad row."""
    sys.stderr.write(f"{printable(text)}\n")


def complain(text: str) -> None:
    """Why the command did not do it. A password in an address that was typed is taken out."""
    safe = _PASSWORD.sub(r"\1:***@", text)
    note(f"dal: {safe}")


def dumped(value: object) -> object:
    """A record as JSON has it: ids and times as text, sets sorted, other values as they are."""
    if isinstance(value, (UUID, datetime)):
        return value.isoformat() if isinstance(value, datetime) else str(value)
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    kind: Any = type(value)
    if attrs.has(kind):
        return {field.name: dumped(getattr(value, field.name)) for field in attrs.fields(kind)}
    if isinstance(value, dict):
        return {key: dumped(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [dumped(item) for item in value]
    return value


def print_json(document: object) -> None:
    """One JSON document in one line on stdout."""
    sys.stdout.write(json.dumps(dumped(document), ensure_ascii=False) + "\n")


def tree(title: str, nodes: Iterable[tuple[int, int | None, str]]) -> None:
    """What follows what: the number of each node, of the one it hangs on, and its text.

    What a node hangs on comes before it.
    """
    root = Tree(Text(_one_line(title)))
    drawn: dict[int | None, Tree] = {None: root}
    for number, parent, text in nodes:
        drawn[number] = drawn[parent].add(Text(_one_line(f"{number}. {text}")))
    Console(file=sys.stdout, highlight=False).print(root)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """Rows under the names of columns; in a pipe a line a row, with tabs between the columns."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            say("\t".join(_one_line(cell) for cell in row))
        return
    shown = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        # As Text, since a name may look like markup.
        shown.add_row(*(Text(_one_line(cell), _STYLES.get(str(cell), "")) for cell in row))
    Console(file=sys.stdout, highlight=False).print(shown)


def _one_line(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, int) and not isinstance(cell, bool) and sys.stdout.isatty():
        return f"{cell:,}"
    return printable(re.sub(r"[\t\r\n]+", " ", str(cell)))


@contextmanager
def advancing(what: str, total: int | None) -> Iterator[Callable[[int], Any]]:
    """A bar on a terminal while a file is worked off; call what is given with the bytes done."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
    with bar:
        task = bar.add_task(printable(what), total=total)
        yield lambda done: bar.update(task, completed=done)
