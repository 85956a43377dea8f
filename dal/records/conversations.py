"""Conversations and who takes part in them, as they are stored and given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.ids import optional_id
from dal.records.preferences import plain_object
from dal.records.snippets import Snippet
from dal.records.text import free_text, optional_text

__all__ = [
    "DETAILS",
    "PERMISSIONS",
    "TRANSITIONS",
    "Conversation",
    "ConversationHit",
    "ConversationRow",
    "ConversationStatus",
    "ConversationSummary",
    "ConversationTotals",
    "NewConversation",
    "Participant",
    "ParticipantRole",
    "ParticipantRow",
    "ScoredConversation",
    "checked_detail",
    "checked_participant_role",
    "checked_status",
]

_MAX_TITLE_CHARS: Final = 255
_MAX_DESCRIPTION_BYTES: Final = 65_535

DETAILS: Final = ("title", "description", "context", "settings")
"""What is kept in a column of its name, and edited."""


class ConversationStatus(StrEnum):
    """Whether prompts may be added. Archived and deleted are states beside it."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"


TRANSITIONS: Final[Mapping[ConversationStatus, frozenset[ConversationStatus]]] = {
    ConversationStatus.ACTIVE: frozenset({ConversationStatus.PAUSED, ConversationStatus.COMPLETED}),
    ConversationStatus.PAUSED: frozenset({ConversationStatus.ACTIVE, ConversationStatus.COMPLETED}),
    ConversationStatus.COMPLETED: frozenset({ConversationStatus.ACTIVE}),
}
"""From where to where: what is completed is opened again before it is paused."""


class ParticipantRole(StrEnum):
    """What somebody is in a conversation; there is one owner of each."""

    OWNER = "owner"
    COLLABORATOR = "collaborator"
    VIEWER = "viewer"


PERMISSIONS: Final[Mapping[ParticipantRole, tuple[bool, bool]]] = {
    ParticipantRole.OWNER: (True, True),
    ParticipantRole.COLLABORATOR: (True, False),
    ParticipantRole.VIEWER: (False, False),
}
"""Role -> may write, may share, as each change of the role sets them. All of them read."""


@attrs.frozen(slots=True)
class ConversationSummary:
    """A conversation in a list of the actor.

    ``message_count``, ``token_count`` and ``cost`` (in US dollars) are of live prompts.
    ``unread_count`` is how many numbers of prompts follow the last one that the actor has read.
    """

    id: UUID
    owner_id: UUID
    title: str
    description: str | None
    status: ConversationStatus
    archived_at: datetime | None
    last_activity_at: datetime
    last_sequence: int
    message_count: int
    token_count: int
    cost: Decimal
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    role: ParticipantRole
    is_pinned: bool
    unread_count: int


@attrs.frozen(slots=True)
class ScoredConversation:
    """A conversation that a search found, and how well it fits."""

    id: UUID
    score: int


@attrs.frozen(slots=True)
class ConversationHit:
    """A conversation that a search found.

    ``sequence_number`` is that of the prompt with most of the words, None where the title or the
    description alone has them; ``snippet`` shows them. ``score`` is comparable within one search.
    """

    conversation: ConversationSummary
    sequence_number: int | None
    score: float
    snippet: Snippet | None


@attrs.frozen(slots=True)
class Conversation:
    """A conversation, the same whoever looks at it. ``context`` and ``settings`` are JSON objects.

    ``last_sequence`` is the highest number given to a prompt, ``active_sequence`` that of the one
    that the next one follows, or None. A fork says which conversation it came from, and through
    which prompt. The counters are of live prompts, ``cost`` in US dollars.
    """

    id: UUID
    owner_id: UUID
    title: str
    description: str | None
    status: ConversationStatus
    archived_at: datetime | None
    last_activity_at: datetime
    last_sequence: int
    active_sequence: int | None
    message_count: int
    token_count: int
    cost: Decimal
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    context: dict[str, Any]
    settings: dict[str, Any]
    forked_from_id: UUID | None
    forked_from_sequence: int | None


@attrs.frozen(slots=True)
class ConversationRow:
    """A locked row of the table conversations, with what the actor may do in it."""

    id: UUID
    owner_id: UUID
    title: str
    description: str | None
    context: dict[str, Any]
    settings: dict[str, Any]
    status: ConversationStatus
    archived_at: datetime | None
    last_sequence: int
    active_sequence: int | None
    updated_at: datetime
    role: ParticipantRole
    can_write: bool
    can_share: bool


@attrs.frozen(slots=True)
class ConversationTotals:
    """Of the live prompts of a conversation; ``cost`` in US dollars."""

    message_count: int
    token_count: int
    cost: Decimal


@attrs.frozen(slots=True)
class Participant:
    """Who takes part in a conversation, and what they may do.

    ``last_read_sequence`` is the number of the last prompt that they read, 0 for none.
    """

    conversation_id: UUID
    user_id: UUID
    full_name: str
    role: ParticipantRole
    can_write: bool
    can_share: bool
    last_read_sequence: int
    last_accessed_at: datetime | None
    added_by: UUID
    joined_at: datetime
    updated_at: datetime


@attrs.frozen(slots=True)
class ParticipantRow:
    """A locked row of the table conversation_participants, as a change needs it."""

    role: ParticipantRole
    can_write: bool
    can_share: bool


def _title(value: object) -> str:
    title = free_text("title", value, max_chars=_MAX_TITLE_CHARS)
    if not title.strip():
        raise ValueRejectedError("title: something to see is required", field="title")
    return title


def _description(value: object) -> str | None:
    return optional_text("description", value, max_bytes=_MAX_DESCRIPTION_BYTES)


def _context(value: object) -> dict[str, Any]:
    return plain_object("context", value)


def _settings(value: object) -> dict[str, Any]:
    return plain_object("settings", value)


_CHECKS: Final[Mapping[str, Any]] = {
    "title": _title,
    "description": _description,
    "context": _context,
    "settings": _settings,
}


def checked_detail(field: str, value: object) -> Any:
    """One of :data:`DETAILS` as it is stored. Raises ValueRejectedError, which names it."""
    return _CHECKS[field](value)


def checked_status(value: object) -> ConversationStatus:
    """A status. Raises ValueRejectedError for what is none."""
    try:
        return ConversationStatus(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError("status: active, paused or completed", field="status") from None


def checked_participant_role(value: object) -> ParticipantRole:
    """A role that is given: there is one owner, and that is changed by transfer.

    Raises:
        ValueRejectedError: another one than ``collaborator`` and ``viewer``.
    """
    if value in (ParticipantRole.COLLABORATOR, ParticipantRole.VIEWER):
        return ParticipantRole(value)  # type: ignore[arg-type]
    raise ValueRejectedError("role: collaborator or viewer", field="role")


@attrs.frozen(slots=True, kw_only=True)
class NewConversation:
    """A conversation to create, checked when it is made."""

    title: str = attrs.field(converter=_title)
    description: str | None = attrs.field(default=None, converter=_description)
    context: dict[str, Any] = attrs.field(factory=dict, converter=_context)
    settings: dict[str, Any] = attrs.field(factory=dict, converter=_settings)
    id: UUID | None = attrs.field(default=None, converter=optional_id)
