"""Rows -> templates with ids, in batches that are a transaction each. No database.

A row without an id gets one that is derived from its owner, from what it says, and from how many
equal rows of the file came before it. So equal rows become a template each, and the same file again
finds all of them there: that is what makes an import repeatable, and one that was killed resumable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import attrs

from dal.cli.reading import BadRow, Row
from dal.errors import ValueRejectedError
from dal.records.ids import derived_id
from dal.records.new_templates import TEXTS, NewTemplate, NewVersion
from dal.records.templates import Visibility
from dal.records.text import category_slug

__all__ = ["MAX_BATCH_BYTES", "Planned", "batches", "plan"]

MAX_BATCH_BYTES: Final = 8 << 20
"""The most text of one transaction, unless a single row has more."""


@attrs.frozen(slots=True)
class Planned:
    """Something to create, the line it comes from, and about how many bytes it takes."""

    line: int
    id: UUID
    new: Any
    n_bytes: int


def plan(
    rows: Iterable[Row | BadRow], owner_id: UUID, visibility: Visibility
) -> Iterator[Planned | BadRow]:
    """Each row as a template of this owner, or as a bad row with the reason.

    ``visibility`` is for rows that say nothing of it. It is no part of a derived id: what a file
    says is there is there, however it was to be shown.
    """
    seen: dict[bytes, int] = {}
    line_of_id: dict[UUID, int] = {}
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            new = _template(row.values, visibility)
        except ValueRejectedError as error:
            yield BadRow(row.line, error.message)
            continue
        template_id = new.id
        if template_id is None:
            said = _canonical(new, says_visibility=row.values.get("visibility") is not None)
            # A file may have millions of rows: 16 bytes of each, not the whole.
            digest = blake2b(said, digest_size=16).digest()
            number = seen[digest] = seen.get(digest, -1) + 1
            template_id = derived_id(owner_id.bytes, said, str(number).encode())
            new = attrs.evolve(new, id=template_id)
        elif template_id in line_of_id:
            yield BadRow(row.line, f"id: that of line {line_of_id[template_id]} too")
            continue
        else:
            line_of_id[template_id] = row.line
        yield Planned(row.line, template_id, new, _n_bytes(new))


def _template(values: dict[str, Any], visibility: Visibility) -> NewTemplate:
    tags = values.get("tags")
    if tags is not None and not isinstance(tags, list):
        raise ValueRejectedError("tags: a list of names is required", field="tags")
    said = {name: value for name, value in values.items() if value is not None}
    for required in ("name", "content"):
        # So that null and absent are told apart from an empty text.
        if required in values:
            said.setdefault(required, None)
    return NewTemplate.from_mapping({"visibility": visibility, **said})


def _canonical(new: NewTemplate, *, says_visibility: bool) -> bytes:
    """What a row says, however it is written: equal for equal templates.

    A history is named only where it says more than the content: files that were imported before
    there were any keep their ids.
    """
    said: dict[str, object] = {
        "name": new.name,
        "content": new.content,
        "description": new.description,
        "system_prompt": new.system_prompt,
        "author_name": new.author_name,
        "category": category_slug(new.category) if new.category is not None else None,
        "tags": sorted(new.tags),
        "visibility": str(new.visibility) if says_visibility else None,
        "created_at": new.created_at.isoformat() if new.created_at else None,
    }
    # What came later is named only where it is said, for the same reason.
    later = {field: getattr(new, field) for field in TEXTS if field not in said}
    said |= {field: value for field, value in later.items() if value is not None}
    first = new.versions[0]
    plain = (first.version, first.message, first.author_name, first.created_at)
    if len(new.versions) > 1 or plain != (1, None, None, None):
        said["versions"] = [_canonical_version(version) for version in new.versions]
    if new.labels:
        said["labels"] = dict(new.labels)
    if new.last_version != new.head_version:
        said["last_version"] = new.last_version
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _canonical_version(version: NewVersion) -> dict[str, object]:
    return {
        "version": version.version,
        "content": version.content,
        "system_prompt": version.system_prompt,
        "message": version.message,
        "author_name": version.author_name,
        "created_at": version.created_at.isoformat() if version.created_at else None,
    }


def _n_bytes(new: NewTemplate) -> int:
    texts = [new.description]
    for version in new.versions:
        texts += (version.content, version.system_prompt, version.message)
    return sum(len(text.encode()) for text in texts if text is not None)


def batches(
    planned: Iterable[Planned | BadRow],
    on_bad: Callable[[BadRow], None],
    *,
    max_rows: int,
    max_bytes: int = MAX_BATCH_BYTES,
) -> Iterator[list[Planned]]:
    """What is planned in order, in lists of bounded size; ``on_bad`` is told of the other rows."""
    batch: list[Planned] = []
    size = 0
    for item in planned:
        if isinstance(item, BadRow):
            on_bad(item)
            continue
        if batch and (len(batch) >= max_rows or size + item.n_bytes > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item.n_bytes
    if batch:
        yield batch
