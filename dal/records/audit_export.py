"""Audit entries as lines: of JSON, and of CSV that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.audit import AuditEntry
from dal.records.audit_seals import StoredAuditEntry

__all__ = [
    "AuditFormat",
    "AuditManifest",
    "csv_header",
    "csv_line",
    "json_line",
    "manifest_json",
    "stored_line",
]


class AuditFormat(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    CSV = "csv"

    @classmethod
    def checked(cls, value: object) -> AuditFormat:
        """Raises ValueRejectedError; the field is ``format``."""
        try:
            return cls(value)  # type: ignore[arg-type]
        except ValueError:
            raise ValueRejectedError("format: jsonl or csv", field="format") from None


@attrs.frozen(slots=True, kw_only=True)
class AuditManifest:
    """What an export has: the same question gives the same bytes, so the same of this."""

    format: AuditFormat
    question: dict[str, object]
    count: int
    first_id: UUID | None
    first_at: datetime | None
    last_id: UUID | None
    last_at: datetime | None
    bytes: int
    sha256: str


def manifest_json(manifest: AuditManifest) -> str:
    """A manifest as JSON, one key a line."""
    values = {field.name: getattr(manifest, field.name) for field in attrs.fields(AuditManifest)}
    told = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
    return json.dumps(told, ensure_ascii=False, indent=2, default=str) + "\n"


_FIELDS: Final = tuple(field.name for field in attrs.fields(AuditEntry))
# What makes a cell a formula in one spreadsheet or another, also behind what they pass over.
_FORMULA: Final = frozenset("=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20")


def _plain(entry: AuditEntry | StoredAuditEntry) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(entry, name) for name in _FIELDS}
    for name in ("id", "actor_id", "target_id"):
        values[name] = None if values[name] is None else str(values[name])
    values["occurred_at"] = entry.occurred_at.isoformat(timespec="microseconds")
    return values


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def json_line(entry: AuditEntry) -> bytes:
    """An entry as one line of canonical JSON."""
    return f"{_dumped(_plain(entry))}\n".encode()


def stored_line(entry: StoredAuditEntry) -> bytes:
    """As :func:`json_line`, of an entry whose changes are still text."""
    return f"{_dumped({**_plain(entry), 'changes': json.loads(entry.changes)})}\n".encode()


def _row(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


def csv_header() -> bytes:
    """The line that names the columns."""
    return _row([*_FIELDS])


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    begins = {text[:1], text.lstrip()[:1]} - {""}
    return f"'{text}" if begins & _FORMULA else text


def csv_line(entry: AuditEntry) -> bytes:
    """An entry as one line of CSV; ``changes`` as JSON, an apostrophe before what begins like a
    formula.
    """
    values = _plain(entry)
    values["changes"] = _dumped(values["changes"])
    return _row([_cell(value) for value in values.values()])
