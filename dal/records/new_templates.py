"""Templates to create, checked when they are made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.clock import check_time
from dal.records.ids import check_id
from dal.records.templates import Visibility
from dal.records.text import (
    MAX_PROMPT_BYTES,
    category_slug,
    free_text,
    optional_text,
    tag_key,
)

__all__ = ["MAX_TAGS", "NewTemplate", "checked_texts"]

MAX_TAGS = 64
"""The most tags of one template."""


def _tag_names(tags: object) -> tuple[str, ...]:
    """The tags' names, trimmed, the first spelling of each key, in the order given."""
    if isinstance(tags, (str, bytes)) or not isinstance(tags, Iterable):
        raise ValueRejectedError("tags: a list of names is required", field="tags")
    names: dict[str, str] = {}
    for name in tags:
        names.setdefault(tag_key(name), free_text("tags", name).strip())
    if len(names) > MAX_TAGS:
        raise ValueRejectedError(f"tags: at most {MAX_TAGS}", field="tags")
    return tuple(names.values())


def _visibility(value: object) -> Visibility:
    try:
        return Visibility(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError("visibility: private or public", field="visibility") from None


def _category(value: object) -> str | None:
    if value is None:
        return None
    category_slug(value)
    return free_text("category", value).strip()


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    return check_time("created_at", value)


@attrs.frozen(slots=True, kw_only=True)
class NewTemplate:
    """A template to create, checked when it is made.

    ``name`` is up to 255 characters and kept byte for byte, as are ``description`` (65,535 bytes),
    ``content`` and ``system_prompt`` (16 MiB - 1) and ``author_name`` (255 characters).
    ``category`` and ``tags`` are names; they are found by their slug and key, or made.
    ``id`` and ``created_at`` may be given, for imports and for a caller who retries.
    """

    name: str = attrs.field()
    content: str = attrs.field()
    description: str | None = attrs.field(default=None)
    system_prompt: str | None = attrs.field(default=None)
    author_name: str | None = attrs.field(default=None)
    category: str | None = attrs.field(default=None, converter=_category)
    tags: tuple[str, ...] = attrs.field(default=(), converter=_tag_names)
    visibility: Visibility = attrs.field(default=Visibility.PRIVATE, converter=_visibility)
    id: UUID | None = attrs.field(default=None)
    created_at: datetime | None = attrs.field(default=None, converter=_time)

    @id.validator
    def _check_id(self, _: object, value: object) -> None:
        if value is not None:
            check_id("id", value)

    def __attrs_post_init__(self) -> None:
        for name, value in checked_texts(
            name=self.name,
            content=self.content,
            description=self.description,
            system_prompt=self.system_prompt,
            author_name=self.author_name,
        ).items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_mapping(cls, row: dict[str, Any]) -> NewTemplate:
        """The template of a row of an import: keys are field names, ``created_at`` is ISO 8601.

        Raises:
            ValueRejectedError: an unknown or missing key, or a value that cannot be stored.
        """
        known = {field.name for field in attrs.fields(cls)}
        for key in row:
            if key not in known:
                raise ValueRejectedError(f"{key}: unknown", field=str(key))
        for key in ("name", "content"):
            if key not in row:
                raise ValueRejectedError(f"{key}: missing", field=key)
        values = {key: value for key, value in row.items() if value is not None}
        for key, parse in (("id", UUID), ("created_at", datetime.fromisoformat)):
            if isinstance(values.get(key), str):
                try:
                    values[key] = parse(values[key])
                except ValueError:
                    raise ValueRejectedError(f"{key}: malformed", field=key) from None
        values.setdefault("name", None)
        values.setdefault("content", None)
        return cls(**values)


def checked_texts(**texts: object) -> dict[str, str | None]:
    """The free-text fields of a template, each as long as its column allows.

    Raises:
        ValueRejectedError: one is not; ``field`` names it.
    """
    checked: dict[str, str | None] = {}
    for field, value in texts.items():
        if field == "name":
            checked[field] = free_text(field, value, max_chars=255)
        elif field == "content":
            checked[field] = free_text(field, value, max_bytes=MAX_PROMPT_BYTES)
        elif field == "system_prompt":
            checked[field] = optional_text(field, value, max_bytes=MAX_PROMPT_BYTES)
        elif field == "description":
            checked[field] = optional_text(field, value, max_bytes=65_535)
        elif field == "author_name":
            checked[field] = optional_text(field, value, max_chars=255)
        else:
            checked[field] = optional_text(field, value, max_chars=500)
    return checked
