"""What the system holds of a user, table by table, as an export gives it.

The fields of a record are the columns that are given. Left out is what is computed from others, and
what opens something: hashes of passwords and tokens, the key of a link.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs

from dal.records.usage import UsageItem
from dal.records.variables import Variable

__all__ = [
    "AccountData",
    "AuditData",
    "ConversationData",
    "LabelData",
    "LabelMoveData",
    "ParticipantData",
    "PersonalRow",
    "PromptData",
    "RatingData",
    "ShareData",
    "TagData",
    "TemplateData",
    "TemplateVersionData",
    "TokenData",
    "UsageData",
]


@attrs.frozen(slots=True)
class AccountData:
    """The account itself; what proves a password or a token is no data of a person."""

    id: UUID
    email: str
    full_name: str
    role: str
    is_active: bool
    email_verified_at: datetime | None
    credentials_changed_at: datetime
    failed_logins: int
    locked_until: datetime | None
    last_login_at: datetime | None
    preferences: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@attrs.frozen(slots=True)
class TokenData:
    """That a token was issued."""

    user_id: UUID
    purpose: str
    created_at: datetime
    expires_at: datetime


@attrs.frozen(slots=True)
class TemplateData:
    """A template, also one in the trash."""

    id: UUID
    owner_id: UUID
    category_id: UUID | None
    name: str
    description: str | None
    author_name: str | None
    visibility: str
    head_version: int
    last_version: int
    use_count: int
    trend: int
    rating_sum: int
    rating_count: int
    forked_from_id: UUID | None
    forked_from_version: int | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@attrs.frozen(slots=True)
class TemplateVersionData:
    """A version with its texts."""

    template_id: UUID
    version: int
    content: str
    system_prompt: str | None
    variables: tuple[Variable, ...]
    content_sha256: bytes
    message: str | None
    author_name: str | None
    created_by: UUID
    created_at: datetime


@attrs.frozen(slots=True)
class TagData:
    """A tag on a template of the user."""

    template_id: UUID
    tag_id: UUID
    name: str
    created_at: datetime


@attrs.frozen(slots=True)
class LabelData:
    """Where a label is."""

    template_id: UUID
    label: str
    version: int
    moved_by: UUID
    moved_at: datetime


@attrs.frozen(slots=True)
class LabelMoveData:
    """That a label was moved."""

    id: UUID
    template_id: UUID
    label: str
    from_version: int | None
    to_version: int | None
    moved_by: UUID
    moved_at: datetime


@attrs.frozen(slots=True)
class RatingData:
    """What the user thinks of a template."""

    template_id: UUID
    user_id: UUID
    rating: int
    feedback: str | None
    created_at: datetime
    updated_at: datetime


@attrs.frozen(slots=True)
class ConversationData:
    """A conversation, also one in the trash."""

    id: UUID
    owner_id: UUID
    title: str
    description: str | None
    context: dict[str, Any]
    settings: dict[str, Any]
    status: str
    archived_at: datetime | None
    last_activity_at: datetime
    last_sequence: int
    message_count: int
    token_count: int
    cost: Decimal
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    active_sequence: int | None
    forked_from_id: UUID | None
    forked_from_sequence: int | None


@attrs.frozen(slots=True)
class ParticipantData:
    """That somebody takes part in a conversation, and what they may."""

    conversation_id: UUID
    user_id: UUID
    role: str
    can_write: bool
    can_share: bool
    is_pinned: bool
    last_read_sequence: int
    last_accessed_at: datetime | None
    added_by: UUID
    joined_at: datetime
    updated_at: datetime


@attrs.frozen(slots=True)
class ShareData:
    """A link, without what opens it."""

    id: UUID
    conversation_id: UUID
    created_by: UUID
    scope: str
    through_sequence: int
    expires_at: datetime
    max_views: int | None
    view_count: int
    last_viewed_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime


@attrs.frozen(slots=True)
class PromptData:
    """What was asked, and the answer."""

    id: UUID
    conversation_id: UUID
    author_id: UUID
    sequence_number: int
    user_input: str
    response: str | None
    token_count: int
    cost: Decimal
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    status: str
    parent_sequence: int | None
    template_id: UUID | None
    template_version: int | None
    system_prompt: str | None
    provider: str | None
    model: str | None
    settings: dict[str, Any] | None
    attempt: int
    max_attempts: int
    error_code: str | None
    error_message: str | None
    finish_reason: str | None
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    latency_ms: int | None
    first_token_ms: int | None
    lease_owner: str | None
    lease_until: datetime | None
    idempotency_key: str | None
    variation_group: UUID | None
    variation_number: int | None
    is_selected: bool
    rating: int | None
    feedback: str | None
    rated_at: datetime | None


@attrs.frozen(slots=True)
class UsageData:
    """What an attempt took, in all and by type (``items``)."""

    prompt_id: UUID
    attempt: int
    conversation_id: UUID
    user_id: UUID
    template_id: UUID | None
    template_version: int | None
    provider: str | None
    model: str | None
    status: str
    error_code: str | None
    finished_at: datetime
    latency_ms: int | None
    first_token_ms: int | None
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    other_tokens: int
    cost: Decimal
    cost_source: str
    rating: int | None


@attrs.frozen(slots=True)
class AuditData:
    """An entry of the audit log."""

    id: UUID
    occurred_at: datetime
    actor_type: str
    actor_id: UUID | None
    actor_name: str | None
    action: str
    target_type: str
    target_id: UUID | None
    outcome: str
    affected: int
    changes: dict[str, Any]
    request_id: str | None
    ip: str | None
    user_agent: str | None
    category: str
    severity: str


@attrs.frozen(slots=True)
class PersonalRow:
    """One thing that the system holds of a user: ``line`` is a line of JSON with ``kind`` and
    ``data``. Whoever has it goes on behind it with ``cursor``.
    """

    kind: str
    line: bytes
    cursor: str

    @classmethod
    def of(
        cls, kind: str, record: Any, cursor: str, items: list[UsageItem] | None = None
    ) -> PersonalRow:
        """The line of a record; ids and numbers with a fraction as text, times as ISO 8601."""
        data = {field.name: getattr(record, field.name) for field in attrs.fields(type(record))}
        if items is not None:
            data["items"] = items
        told = json.dumps(
            {"kind": kind, "data": data},
            ensure_ascii=False,
            separators=(",", ":"),
            default=_plain,
        )
        return cls(kind, f"{told}\n".encode(), cursor)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (UUID, Decimal)):
        return str(value)
    if isinstance(value, (Variable, UsageItem)):
        return attrs.asdict(value)
    raise TypeError(f"not in an export: {type(value).__name__}")
