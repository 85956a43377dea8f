#!/usr/bin/env python3
"""Turn published collections of prompts into JSON lines that `dal import` reads.

    scripts/datasets.py lobe_chat_agents            one collection, to stdout
    scripts/datasets.py --out build                 every collection, build/NAME.jsonl each
    scripts/datasets.py --data DIR --out build awesome_chatgpt_prompts

Every row becomes one template, or one version of a template, or is left out with its reason on
stderr and in the count. A row is left out when a value breaks the format (a blank name, a name of
300 characters), and with it the other versions of its template; a file that is not what it should
be (bad JSON, a missing column, a version that is missing) ends the run and names the line; nothing
is written for it.

Exit status: 0 done, 1 a malformed file, 2 wrong usage or no data.
"""

import argparse
import csv
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Protocol, TypeGuard
from uuid import UUID

Row = dict[str, object]
Change = Callable[[str], None]  # told what was changed in a value on its way

# The longest published prompt has 144,260 characters, csv's own limit is 131,072 bytes.
MAX_CSV_FIELD = 16 * 1024 * 1024

MAX_VERSIONS = 10_000  # of one template


class DataError(Exception):
    """A file is not what it should be; the message names the file and the line."""


class DataAbsentError(Exception):
    """A file is not there; the message says which and how to name its folder."""


@dataclass
class Report:
    """What became of the rows of one file, by line: written, left out, changed.

    Several rows may be one of what is made: the versions of a template, the turns of a dialogue.
    """

    file: str
    kind: str = "versions of templates"
    rows: int = 0
    written: int = 0
    made: int = 0
    left_out: list[str] = field(default_factory=list)
    changed: dict[str, list[int]] = field(default_factory=dict)

    def add(self, lines: list[int], changes: list[tuple[str, int]], reasons: list[str]) -> None:
        """Count the rows of one template, which is left out for these reasons, if any."""
        if reasons:
            for line in lines:
                message = f"{self.file}:{line}: left out: {'; '.join(reasons)}"
                self.left_out.append(message)
                print(message, file=sys.stderr)
            return
        for change, line in changes:
            self.changed.setdefault(change, []).append(line)
        self.written += len(lines)
        self.made += 1

    def __str__(self) -> str:
        lines = [
            f"{self.file}: {self.rows:,} rows, {self.written:,} written, "
            f"{len(self.left_out):,} left out"
        ]
        if self.made != self.written:
            lines.append(f"  in {self.made:,}: {self.kind}")
        for what, where in self.changed.items():
            shown = ", ".join(map(str, where[:8])) + (", ..." if len(where) > 8 else "")
            lines.append(f"  {what}: {len(where):,} (line {shown})")
        return "\n".join(lines)


@dataclass(frozen=True)
class Labels:
    """What one source row says that a check counts, as published."""

    category: str | None
    tags: list[str]
    author: str | None


@dataclass(frozen=True)
class Adapter:
    """One collection: where it is, whom to credit, how a row of it becomes a template.

    Where there is a `key`, a row becomes a version, in a template with that version alone, and
    rows with equal keys those of one template, in the order of the file.
    """

    file: str
    credit: str
    read: Callable[[Path], Iterator[tuple[int, Row]]]
    convert: Callable[[Row, Change], Row]
    labels: Callable[[Row], Labels]
    key: Callable[[Row], Hashable] | None = None

    def sources(self, path: Path) -> Iterator[list[tuple[int, Row]]]:
        """Yield the numbered rows of each template, in the order of the first ones.

        Raises:
            DataAbsentError: there is no such file.
            DataError: the file is malformed; names file and line.
        """
        if self.key is None:
            yield from ([numbered] for numbered in self.read(path))
            return
        found: dict[Hashable, list[tuple[int, Row]]] = {}
        for line, row in self.read(path):
            with named_line(path, line):
                found.setdefault(self.key(row), []).append((line, row))
        yield from found.values()

    def rows(self, path: Path, report: Report | None = None) -> Iterator[Row]:
        """Yield the templates of the file, in its order.

        One that breaks the format is left out and its rows are named on stderr; `report` counts
        them, and what was changed in the others.

        Raises:
            DataAbsentError: there is no such file.
            DataError: the file is malformed; names file and line.
        """
        seen = report if report is not None else Report(path.name)
        for numbered in self.sources(path):
            changes: list[tuple[str, int]] = []
            template: Row = {}
            for line, source in numbered:
                told: list[str] = []
                with named_line(path, line):
                    row = self.convert(source, told.append)
                    template = row if self.key is None else with_version(template, row)
                changes += [(change, line) for change in told]
            seen.rows += len(numbered)
            reasons = problems(template)
            seen.add([line for line, _ in numbered], changes, reasons)
            if not reasons:
                yield template


@contextmanager
def named_line(path: Path, line: int) -> Iterator[None]:
    """Make a DataError that names the line of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise DataError(f"{path}:{line}: {error}") from error


# The format


def with_version(template: Row, later: Row) -> Row:
    """Put the version of the later template after those of the template; empty: there is none.

    Raises:
        ValueError: it is not the next one.
    """
    (version,) = row_list(later, "versions")
    before = row_list(template, "versions") if template else []
    expected = len(before) + 1
    if version["version"] != expected:
        raise ValueError(f"version {version['version']!r}, where {expected} is due")
    return {**(template or later), "versions": [*before, version]}


def problems(row: Row) -> list[str]:
    """Say everything that breaks the import format in one template; an empty list: valid."""
    known = {"name", "content", "description", "system_prompt", "category", "tags"}
    known |= {"author_name", "visibility", "created_at", "id"}
    known |= {"versions", "labels", "last_version"}
    found = _unknown_problems(row, known)
    found += _text_problems(row, "name", required=True, max_chars=255)
    if row.get("versions") is None:
        found += _text_problems(row, "content", required=True)
        found += _text_problems(row, "system_prompt")
    else:
        found += [f"{key} is said by the versions" for key in ("content", "system_prompt")
                  if row.get(key) is not None]  # fmt: skip
    found += _history_problems(row)
    found += _text_problems(row, "description", max_bytes=65_535)
    found += _text_problems(row, "category", max_chars=100)
    found += _text_problems(row, "author_name", max_chars=255)
    tags = row.get("tags", [])
    if isinstance(tags, list):
        for tag in tags:
            trimmed = tag.strip() if isinstance(tag, str) else tag
            found += _text_problems({"tag": trimmed}, "tag", required=True, max_chars=100)
    else:
        found.append("tags is no list")
    if row.get("visibility") not in ("private", "public"):
        found.append("visibility is neither private nor public")
    found += _time_problems(row)
    if "id" in row:
        try:
            UUID(str(row["id"]))
        except ValueError:
            found.append("id is no UUID")
    return found


def _unknown_problems(row: Row, known: set[str]) -> list[str]:
    return [f"unknown field {key!r}" for key in sorted(row.keys() - known)]


def _time_problems(row: Row) -> list[str]:
    created_at = row.get("created_at")
    if created_at is None:
        return []
    try:
        if datetime.fromisoformat(str(created_at)).tzinfo is None:
            return ["created_at has no offset"]
    except ValueError:
        return ["created_at is not ISO 8601"]
    return []


def _history_problems(row: Row) -> list[str]:
    """Say what breaks the format in `versions`, and in what names their numbers."""
    versions = row.get("versions")
    numbers = [1]
    found = []
    if isinstance(versions, list) and versions:
        if len(versions) > MAX_VERSIONS:
            found.append(f"versions has {len(versions):,} items, {MAX_VERSIONS:,} fit")
        numbers = []
        for place, version in enumerate(versions, 1):
            after = numbers[-1] if numbers else 0
            said = version if isinstance(version, dict) else {}
            number = said.get("version")
            number = after + 1 if number is None else number
            wrong = _version_problems(said)
            if not _is_number(number) or number <= after:
                wrong.append("version does not ascend")
                number = after + 1
            numbers.append(number)
            found += [f"item {place} of versions: {problem}" for problem in wrong]
    elif versions is not None:
        found.append("versions is no list, or an empty one")
    labels = {} if row.get("labels") is None else row["labels"]
    if not isinstance(labels, dict):
        found.append("labels is no object")
    else:
        for label, number in labels.items():
            trimmed = label.strip()
            found += _text_problems({"label": trimmed}, "label", required=True, max_chars=100)
            if fold(label) == "latest":
                found.append("the label latest cannot be put on a version")
            if not _is_number(number) or number not in numbers:
                found.append("a label is on no version")
        if len({fold(label) for label in labels}) < len(labels):
            found.append("two labels are the same")
    last = row.get("last_version")
    if last is not None and (not _is_number(last) or last < numbers[-1]):
        found.append("last_version is less than the number of a version")
    return found


def _version_problems(version: Row) -> list[str]:
    known = {"version", "content", "system_prompt", "message", "author_name", "created_at"}
    found = _unknown_problems(version, known)
    found += _text_problems(version, "content", required=True)
    found += _text_problems(version, "system_prompt")
    found += _text_problems(version, "message", max_chars=500)
    found += _text_problems(version, "author_name", max_chars=255)
    return found + _time_problems(version)


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**32


def _text_problems(
    row: Row,
    key: str,
    *,
    required: bool = False,
    max_chars: int | None = None,
    max_bytes: int | None = None,
) -> list[str]:
    value = row.get(key)
    if value is None:
        return [f"{key} is missing"] if required else []
    if not isinstance(value, str):
        return [f"{key} is no text"]
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return [f"{key} holds half a surrogate pair"]
    if (required or max_chars is not None) and not value.strip():
        return [f"{key} is blank"]
    chars = len(value)
    if max_chars is not None and chars > max_chars:
        return [f"{key} has {chars:,} characters, {max_chars:,} fit"]
    if max_bytes is not None and size > max_bytes:
        return [f"{key} has {size:,} bytes, {max_bytes:,} fit"]
    return []


def fold(text: str) -> str:
    """Give the form in which two categories, or two tags, are the same: NFC, no case, trimmed."""
    return unicodedata.normalize("NFC", text).casefold().strip()


def one_line(name: str, change: Change) -> str:
    """Trim a name and put a space for a line break in it: a name is shown in lists."""
    trimmed = name.strip()
    if trimmed != name:
        change("name trimmed")
    joined = re.sub(r"\s*[\r\n]+\s*", " ", trimmed)
    if joined != trimmed:
        change("line break in name made a space")
    return joined


def unique_tags(tags: Iterable[str], change: Change) -> list[str]:
    """Trim tags, drop blank ones, and keep the first spelling of equal ones, in their order."""
    kept: dict[str, str] = {}
    for tag in tags:
        if not tag.strip():
            change("blank tag dropped")
        elif fold(tag) in kept:
            change("tag named twice dropped")
        else:
            kept[fold(tag)] = tag.strip()
    return list(kept.values())


# Reading


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each line with its number and its line end, split at LF alone.

    `str.splitlines` also splits at U+2028, U+001E and others, which published prompts hold.

    Raises:
        DataAbsentError: there is no such file.
        DataError: a line is not UTF-8.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise DataAbsentError(
            f"no data: {path} is not there (name its folder with --data or DAL_TEST_DATA)"
        ) from error
    with file:
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode()
            except UnicodeDecodeError as error:
                raise DataError(f"{path}:{number}: not UTF-8: {error.reason}") from error
            yield number, line.removeprefix("\ufeff") if number == 1 else line


def read_json_lines(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield each object with its line number.

    Raises:
        DataAbsentError: there is no such file.
        DataError: a line is no JSON object.
    """
    for number, line in text_lines(path):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise DataError(f"{path}:{number}: not JSON: {error}") from error
        if not isinstance(value, dict):
            raise DataError(f"{path}:{number}: not a JSON object")
        yield number, value


def read_csv(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield each record under its column names, with the number of its first line.

    Raises:
        DataAbsentError: there is no such file.
        DataError: a quote is open or misplaced, or a record has not one field a column.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CSV_FIELD))
    reader = csv.reader((line for _, line in text_lines(path)), strict=True)
    columns: list[str] | None = None
    first = 1
    try:
        for values in reader:
            if columns is None:
                columns = values
            elif values and len(values) != len(columns):
                raise DataError(f"{path}:{first}: {len(values)} fields, not {len(columns)}")
            elif values:
                yield first, dict(zip(columns, values, strict=True))
            first = reader.line_num + 1
        if columns is None:
            raise DataError(f"{path}:1: empty, not even column names")
    except csv.Error as error:
        # An open quote swallows the rest of the file: the line where the record began helps.
        raise DataError(f"{path}:{first}: not CSV: {error}") from error


def text(row: Row, key: str) -> str:
    """Take a text that must be there.

    Raises:
        ValueError: it is absent, or no text.
    """
    value = optional_text(row, key)
    if value is None:
        raise ValueError(f"{key!r} is null")
    return value


def optional_text(row: Row, key: str) -> str | None:
    """Take a text that may be null.

    Raises:
        ValueError: the field is absent, or no text.
    """
    if key not in row:
        raise ValueError(f"no field {key!r}")
    value = row[key]
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key!r} is no text")
    return value


def text_list(row: Row, key: str) -> list[str]:
    """Take a list of texts.

    Raises:
        ValueError: it is absent, or something else.
    """
    value = row.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{key!r} is no list of texts")
    return value


def row_list(row: Row, key: str) -> list[Row]:
    """Take a list of objects.

    Raises:
        ValueError: it is absent, or something else.
    """
    value = row.get(key)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{key!r} is no list of objects")
    return value


# The collections


def awesome_labels(row: Row) -> Labels:
    for_devs = {"TRUE": True, "FALSE": False}.get(text(row, "for_devs"))
    if for_devs is None:
        raise ValueError("'for_devs' is neither TRUE nor FALSE")
    return Labels(
        text(row, "type") or None,
        ["for-devs"] if for_devs else [],
        text(row, "contributor") or None,
    )


def awesome_template(row: Row, change: Change) -> Row:
    """act, prompt, type, for_devs, contributor; it has no descriptions and no times.

    A contributor with a comma in it is several people: kept as one credit, as published.
    Titles repeat, and 16 rows equal another to the byte: each is a template of its own.
    """
    labels = awesome_labels(row)
    return {
        "name": one_line(text(row, "act"), change),
        "content": text(row, "prompt"),
        "description": None,
        "system_prompt": None,
        "category": labels.category,
        "tags": labels.tags,
        "author_name": labels.author,
        "visibility": "public",
        "created_at": None,
    }


def lobe_labels(row: Row) -> Labels:
    return Labels(
        optional_text(row, "category"), text_list(row, "tags"), optional_text(row, "author")
    )


def lobe_template(row: Row, change: Change) -> Row:
    """title, description, category, tags, author, created_at (a day: midnight UTC), system_role.

    Left out, as a template has no place for them: identifier, locale, source_file, homepage,
    avatar, summary, opening_message, opening_questions, examples.
    """
    labels = lobe_labels(row)
    day = optional_text(row, "created_at")
    created_at = f"{date.fromisoformat(day)}T00:00:00+00:00" if day is not None else None
    return {
        "name": one_line(text(row, "title"), change),
        "content": text(row, "system_role"),
        "description": optional_text(row, "description"),
        "system_prompt": None,
        "category": labels.category,
        "tags": unique_tags(labels.tags, change),
        "author_name": labels.author,
        "visibility": "public",
        "created_at": created_at,
    }


def fabric_labels(row: Row) -> Labels:
    return Labels(None, [text(row, "role")], text(row, "author"))


def fabric_pattern(row: Row) -> tuple[str, str]:
    """Say which file of which pattern a row is a version of: each is numbered by itself."""
    return text(row, "title"), text(row, "role")


def fabric_template(row: Row, change: Change) -> Row:
    """title, role (a tag), version, content, committed_at, author, change_note.

    A pattern is a file for the system's text and may have one for the user's, with a history of
    its own: two templates. The first version's author is the template's, and its time.

    Left out, as a version has no place for it: commit.
    """
    labels = fabric_labels(row)
    number = row.get("version")
    if not _is_number(number):
        raise ValueError("'version' is no whole number")
    at = datetime.fromisoformat(text(row, "committed_at")).isoformat()
    return {
        "name": one_line(text(row, "title"), change),
        "description": None,
        "category": labels.category,
        "tags": labels.tags,
        "author_name": labels.author,
        "visibility": "public",
        "created_at": at,
        "versions": [
            {
                "version": number,
                "content": text(row, "content"),
                "message": text(row, "change_note"),
                "author_name": labels.author,
                "created_at": at,
            }
        ],
    }


adapters: dict[str, Adapter] = {
    "awesome_chatgpt_prompts": Adapter(
        file="awesome_chatgpt_prompts.csv",
        credit="f/awesome-chatgpt-prompts @ 50a97c072933, CC0 1.0",
        read=read_csv,
        convert=awesome_template,
        labels=awesome_labels,
    ),
    "lobe_chat_agents": Adapter(
        file="lobe_chat_agents.jsonl",
        credit="lobehub/lobe-chat-agents @ ec2b0e41, MIT, Copyright (c) 2023 LobeHub",
        read=read_json_lines,
        convert=lobe_template,
        labels=lobe_labels,
    ),
    "fabric_pattern_versions": Adapter(
        file="fabric_pattern_versions.jsonl",
        credit="danielmiessler/fabric @ 272f04dd, its git history, MIT",
        read=read_json_lines,
        convert=fabric_template,
        labels=fabric_labels,
        key=fabric_pattern,
    ),
}


def expected_counts(data_dir: Path) -> dict[str, dict[str, int]]:
    """Count in the source files what an import of them must show.

    `{NAME: {"rows", "categories", "tags", "author_names"}, ..., "all": the same of their union}`.
    Rows are templates: those of the first versions, where rows are versions. Categories and tags
    count once after `fold`, author names to the byte; null and blank are none. Counted from the
    published values, not from the templates made of them.

    Raises:
        DataAbsentError: a file is not there.
        DataError: a file is malformed.
    """
    counts: dict[str, dict[str, int]] = {}
    every: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    total = 0
    for name, adapter in adapters.items():
        path = data_dir / adapter.file
        own: tuple[set[str], set[str], set[str]] = (set(), set(), set())
        rows = 0
        for (line, source), *_ in adapter.sources(path):
            rows += 1
            with named_line(path, line):
                labels = adapter.labels(source)
            own[0].add(fold(labels.category or ""))
            own[1].update(map(fold, labels.tags))
            own[2].add(labels.author or "")
        counts[name] = _sizes(rows, own)
        total += rows
        for union, part in zip(every, own, strict=True):
            union |= part
    counts["all"] = _sizes(total, every)
    return counts


def _sizes(rows: int, sets: tuple[set[str], set[str], set[str]]) -> dict[str, int]:
    categories, tags, authors = (len(found - {""}) for found in sets)
    return {"rows": rows, "categories": categories, "tags": tags, "author_names": authors}


# Running


def default_data_dir() -> Path:
    """Name the folder of the data: DAL_TEST_DATA, or shared/data beside the checkout."""
    named = os.environ.get("DAL_TEST_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"


def json_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def write_atomically(path: Path, lines: Iterable[str]) -> None:
    """Write a file whole or not at all: a reader, or a run that fails, never leaves half of it.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Source(Protocol):
    """A collection, as the command line knows it."""

    @property
    def file(self) -> str:
        """Its name in the folder of the data."""

    @property
    def credit(self) -> str:
        """Whom it is from."""

    def rows(self, path: Path, report: Report | None = None) -> Iterator[Row]:
        """Yield what is written, a line each."""


def run(
    program: str,
    text: str | None,
    adapters: Mapping[str, Source],
    kind: str,
    arguments: list[str] | None,
) -> int:
    """Run a command line over these collections and give its exit status."""
    parser = argparse.ArgumentParser(
        prog=program,
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="collections:\n"
        + "\n".join(f"  {name:26}{adapter.credit}" for name, adapter in adapters.items()),
    )
    parser.add_argument(
        "--data", type=Path, help="folder of the files (default: DAL_TEST_DATA, ../shared/data)"
    )
    parser.add_argument("--out", type=Path, help="folder for NAME.jsonl; without: stdout")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: every collection")
    options = parser.parse_args(arguments)

    names: list[str] = list(dict.fromkeys(options.names)) or list(adapters)
    for name in names:
        if name not in adapters:
            parser.error(f"no collection {name!r}; there are: {', '.join(adapters)}")
    if options.out is None and len(names) != 1:
        parser.error("stdout takes one NAME; write several with --out DIR")
    data = options.data if options.data is not None else default_data_dir()

    try:
        for name in names:
            adapter = adapters[name]
            report = Report(adapter.file, kind)
            lines = map(json_line, adapter.rows(data / adapter.file, report))
            if options.out is not None:
                write_atomically(options.out / f"{name}.jsonl", lines)
            else:
                print_lines(list(lines))
            print(f"{report}\n  from {adapter.credit}", file=sys.stderr)
    except DataAbsentError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 1
    except (DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and give its exit status."""
    return run("scripts/datasets.py", __doc__, adapters, "versions of templates", arguments)


def print_lines(lines: Iterable[str]) -> None:
    # The format is UTF-8 with LF whatever the terminal's locale says.
    with suppress(AttributeError):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    try:
        sys.stdout.writelines(lines)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (`head`) has enough; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


if __name__ == "__main__":
    sys.exit(main())
