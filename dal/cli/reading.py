"""Files of rows -> mappings with their line numbers. No database, and no rule of what they are.

Lines end at LF alone: contents hold U+2028 and U+001E, at which ``str.splitlines`` would cut.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

import attrs

from dal.errors import UsageError
from dal.records.new_templates import NewTemplate
from dal.records.templates import Template

__all__ = ["FIELDS", "BadRow", "Row", "parse_map", "read_csv", "read_json_lines"]

FIELDS: Final = tuple(field.name for field in attrs.fields(NewTemplate))
"""What a row may have: the fields of a new template."""

# No cell of a CSV file holds a list, an object, or the number that belongs to them.
_CSV_FIELDS: Final = tuple(
    name for name in FIELDS if name not in ("versions", "labels", "last_version")
)
# What else a record of a template has, and nothing that an import could keep.
_NOT_KEPT: Final = frozenset(
    {field.name for field in attrs.fields(Template)} - set(FIELDS) - {"deleted_at"}
)
# Two prompts of 16 MiB, each byte as \u0000; a longer history is imported from Python.
_MAX_LINE_BYTES: Final = 256 << 20
# The csv module's own limit is 131,072 characters; a published prompt has 144,260.
_MAX_FIELD_CHARS: Final = 1 << 24
_BOM: Final = b"\xef\xbb\xbf"


@attrs.frozen(slots=True)
class Row:
    """What one row says, and the line that it starts in."""

    line: int
    values: dict[str, Any]


@attrs.frozen(slots=True)
class BadRow:
    """A row that cannot be put in, and why."""

    line: int
    reason: str


def parse_map(text: str | None) -> dict[str, str] | None:
    """``act=name,prompt=content,tags`` as a mapping of column to field; None for no text.

    Raises:
        UsageError: no field of a template, or a field or column named twice.
    """
    if text is None:
        return None
    found: dict[str, str] = {}
    for pair in text.split(","):
        column, equals, field = (part.strip() for part in pair.partition("="))
        field = field if equals else column
        if field not in FIELDS:
            raise UsageError(f"--map: no field {field!r}; there are: {', '.join(FIELDS)}")
        if column in found or field in found.values():
            raise UsageError(f"--map: {column}={field}: named twice")
        found[column] = field
    return found


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Each line with its number and end; None for one that no memory should hold."""
    number = 0
    while raw := file.readline(_MAX_LINE_BYTES):
        number += 1
        if len(raw) < _MAX_LINE_BYTES or raw.endswith(b"\n"):
            yield number, raw.removeprefix(_BOM) if number == 1 else raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(_MAX_LINE_BYTES)
        yield number, None


def read_json_lines(
    file: BinaryIO,
    mapping: Mapping[str, str] | None = None,
    *,
    not_kept: Collection[str] = _NOT_KEPT,
) -> Iterator[Row | BadRow]:
    """Each line that is a JSON object as a row; a bad row for any other. Blank lines are none.

    ``mapping`` gives keys the name of a field. Those of ``not_kept`` are passed over, by default
    what a template has beside what an import keeps.
    """
    for number, raw in _lines(file):
        if raw is None:
            yield BadRow(number, f"longer than {_MAX_LINE_BYTES >> 20} MiB")
        elif raw.strip():
            try:
                yield Row(number, _object(raw, mapping or {}, not_kept))
            except _BadLineError as error:
                yield BadRow(number, str(error))


class _BadLineError(Exception):
    """A line is not what it should be; the message says why."""


def _object(raw: bytes, mapping: Mapping[str, str], not_kept: Collection[str]) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_distinct)
    except UnicodeDecodeError as error:
        raise _BadLineError(f"not UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise _BadLineError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except (ValueError, RecursionError):
        raise _BadLineError("not JSON that can be read: a number or a nesting too big") from None
    if not isinstance(value, dict):
        raise _BadLineError("not a JSON object")
    if value.get("deleted_at") is not None:
        raise _BadLineError("deleted_at: what is deleted is not imported")
    values: dict[str, Any] = {}
    for key, item in value.items():
        name = mapping.get(key, key)
        if name in values:
            raise _BadLineError(f"{name}: given twice, by --map")
        if key in mapping or (name not in not_kept and name != "deleted_at"):
            values[name] = item
    return values


def _distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object, unless a key is there twice: one of the two would be lost without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _BadLineError(f"{twice}: given twice")
    return found


def read_csv(
    file: BinaryIO,
    mapping: Mapping[str, str] | None = None,
    *,
    tell: Callable[[str], None] = lambda text: None,
) -> Iterator[Row | BadRow]:
    """Each record under the names of its fields, with the line that it starts in.

    The first record names the columns. With ``mapping`` the columns that it names are taken, else
    those that are called as a field; ``tell`` is told which are ignored. An empty cell is no
    value, but for the content; tags are separated by commas.

    Raises:
        UsageError: the columns do not fit: nothing of the file can be read.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_FIELD_CHARS))
    reader = csv.reader(_decoded(file), strict=True)
    try:
        names = next(reader, [])
    except csv.Error as error:
        raise UsageError(f"the line of column names is not CSV: {error}") from None
    fields = _fields_of_columns(names, mapping, tell)
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            why = str(error)
            if reader.line_num > first and "unexpected end" in why:
                # All that follows was taken for one value, and is named, not passed over.
                why = f"a quote is never closed; lines {first} to {reader.line_num} were not read"
            yield BadRow(first, f"not CSV: {why}")
            continue
        if cells is None:
            return
        if not cells:
            continue
        if len(cells) != len(names):
            yield BadRow(first, f"{len(cells)} fields, not {len(names)}")
            continue
        try:
            yield Row(first, _record(cells, fields))
        except UnicodeEncodeError:
            yield BadRow(first, "not UTF-8")


def _decoded(file: BinaryIO) -> Iterator[str]:
    """Lines as text. A byte that is not UTF-8 stays apart, to be found in the record it is in."""
    for number, raw in _lines(file):
        if raw is None:
            raise UsageError(f"line {number} is longer than {_MAX_LINE_BYTES >> 20} MiB: no CSV")
        yield raw.decode("utf-8", "surrogateescape")


def _fields_of_columns(
    names: Sequence[str], mapping: Mapping[str, str] | None, tell: Callable[[str], None]
) -> list[str | None]:
    """The field that each column becomes; None for one that is ignored."""
    wanted = {name: name for name in _CSV_FIELDS} if mapping is None else mapping
    nested = [field for field in wanted.values() if field not in _CSV_FIELDS]
    if nested:
        raise UsageError(f"--map: no cell of a CSV file holds {', '.join(nested)}; JSON lines do")
    columns = f"the columns are: {', '.join(names) or 'none, the file is empty'}"
    absent = [name for name in wanted if name not in names] if mapping is not None else []
    if absent:
        raise UsageError(f"--map: no column {', '.join(absent)}; {columns}")
    twice = sorted({name for name in names if name in wanted and names.count(name) > 1})
    if twice:
        raise UsageError(f"two columns are called {', '.join(twice)}")
    for required in ("name", "content"):
        if required not in (wanted[name] for name in names if name in wanted):
            raise UsageError(
                f"no column for {required}: say which by --map COLUMN={required}; {columns}"
            )
    ignored = [name for name in names if name not in wanted]
    if ignored:
        tell(f"columns ignored: {', '.join(ignored)}")
    return [wanted.get(name) for name in names]


def _record(cells: Sequence[str], fields: Sequence[str | None]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for cell, field in zip(cells, fields, strict=True):
        if field is None:
            continue
        cell.encode()  # raises for what was not UTF-8
        if field == "tags":
            values[field] = [tag.strip() for tag in cell.split(",") if tag.strip()]
        elif cell or field == "content":
            values[field] = cell
    return values
