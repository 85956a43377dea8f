"""Templates and their versions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

import attrs

__all__ = [
    "Template",
    "TemplateParent",
    "TemplateRow",
    "TemplateStatistics",
    "TemplateSummary",
    "TemplateVersion",
    "TemplateVersionSummary",
    "Visibility",
    "content_sha256",
]


class Visibility(StrEnum):
    """Who sees a template besides its owner."""

    PRIVATE = "private"
    PUBLIC = "public"


def content_sha256(content: str, system_prompt: str | None) -> bytes:
    """What two versions are compared by: SHA-256, 32 bytes.

    Of the content's length in bytes (8, big-endian), the content, and 0 or 1 and the system
    prompt, all in UTF-8; so no text moved from one to the other gives the same hash.
    """
    body = content.encode()
    prompt = b"\0" if system_prompt is None else b"\1" + system_prompt.encode()
    return sha256(len(body).to_bytes(8) + body + prompt).digest()


@attrs.frozen(slots=True)
class TemplateSummary:
    """A template in a list: everything but its text. ``category`` is the slug."""

    id: UUID
    owner_id: UUID
    name: str
    description: str | None
    author_name: str | None
    category: str | None
    tags: frozenset[str]
    visibility: Visibility
    head_version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@attrs.frozen(slots=True)
class Template:
    """A template with the text of its newest version. ``category`` is the slug."""

    id: UUID
    owner_id: UUID
    name: str
    description: str | None
    author_name: str | None
    category: str | None
    tags: frozenset[str]
    visibility: Visibility
    head_version: int
    content: str
    system_prompt: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@attrs.frozen(slots=True)
class TemplateRow:
    """A row of the table templates, as a change needs it: what was there before."""

    id: UUID
    owner_id: UUID
    category_id: UUID | None
    name: str
    description: str | None
    author_name: str | None
    visibility: Visibility
    head_version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@attrs.frozen(slots=True)
class TemplateParent:
    """The owner of new templates, with one of the categories asked for, or with none."""

    owner_id: UUID
    category_id: UUID | None
    slug: str | None
    name: str | None


@attrs.frozen(slots=True)
class TemplateVersion:
    """One immutable version with its text."""

    template_id: UUID
    version: int
    content: str
    system_prompt: str | None
    content_sha256: bytes
    message: str | None
    created_by: UUID
    created_at: datetime


@attrs.frozen(slots=True)
class TemplateVersionSummary:
    """One version in a list, without its text; ``content_chars`` is the length of its content."""

    template_id: UUID
    version: int
    content_chars: int
    content_sha256: bytes
    message: str | None
    created_by: UUID
    created_at: datetime


@attrs.frozen(slots=True)
class TemplateStatistics:
    """Numbers of live templates under live owners, and of what is in their trash."""

    templates: int
    public: int
    private: int
    deleted: int
    versions: int
    authors: int
    tags: int
