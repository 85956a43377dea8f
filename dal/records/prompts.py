"""Prompts of a conversation: what was asked, what was answered, what it took."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs

from dal.records.conversations import ParticipantRole
from dal.records.snippets import Snippet
from dal.records.usage import ModelPrice

__all__ = [
    "ComparedVariation",
    "PricedWork",
    "Prompt",
    "PromptAbove",
    "PromptHead",
    "PromptHit",
    "PromptPlace",
    "PromptRow",
    "PromptStatus",
    "PromptWork",
    "PromptsOfStatus",
    "ScoredPrompt",
]


class PromptStatus(StrEnum):
    """Where a prompt stands.

    pending -> processing -> completed or failed; failed -> pending, while attempts are left;
    pending and processing -> cancelled. What is completed or cancelled stays so.
    """

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@attrs.frozen(slots=True)
class Prompt:
    """A prompt with its texts.

    ``sequence_number`` is its place in the conversation, from 1; that of a deleted one stays free.
    ``parent_sequence`` is the number of the prompt that it follows, None for a root. ``response``
    is whole when it is completed; before, it is what was appended so far. ``settings`` None stands
    for those of the conversation. ``token_count`` and ``cost`` (in US dollars) are of all attempts,
    ``error_code``, ``latency_ms`` and ``first_token_ms`` (in milliseconds) of the last one.
    ``variation_group`` is None for a prompt without variations, else the same for all of them, and
    one of them at most is selected. ``rating`` is 1 to 5.
    """

    id: UUID
    conversation_id: UUID
    author_id: UUID
    sequence_number: int
    parent_sequence: int | None
    status: PromptStatus
    user_input: str
    system_prompt: str | None
    response: str | None
    template_id: UUID | None
    template_version: int | None
    provider: str | None
    model: str | None
    settings: dict[str, Any] | None
    token_count: int
    cost: Decimal
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
    idempotency_key: str | None
    variation_group: UUID | None
    variation_number: int | None
    is_selected: bool
    rating: int | None
    feedback: str | None
    rated_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@attrs.frozen(slots=True)
class ComparedVariation:
    """A variation beside the selected one.

    ``diff`` is a unified diff from the answer of the selected one to this one's; rating, tokens,
    cost and latency are those of ``prompt``.
    """

    prompt: Prompt
    diff: str


@attrs.frozen(slots=True)
class ScoredPrompt:
    """A prompt that a search found, and how well it fits."""

    id: UUID
    score: int


@attrs.frozen(slots=True)
class PromptHit:
    """A prompt that a search found; ``score`` is that of BM25, ``snippet`` a piece of its texts."""

    prompt: Prompt
    score: float
    snippet: Snippet | None


@attrs.frozen(slots=True)
class PromptHead:
    """The start of a prompt that a search found."""

    conversation_id: UUID
    sequence_number: int
    input_head: str
    response_head: str | None


@attrs.frozen(slots=True)
class PromptsOfStatus:
    """How many prompts stand there."""

    status: PromptStatus
    prompts: int


@attrs.frozen(slots=True)
class PromptAbove:
    """The prompt that a way up ends at, live or a deleted root."""

    sequence_number: int
    is_live: bool


@attrs.frozen(slots=True)
class PromptPlace:
    """Where a prompt stands, and what it took, without its texts."""

    id: UUID
    author_id: UUID
    sequence_number: int
    parent_sequence: int | None
    token_count: int
    cost: Decimal


@attrs.frozen(slots=True)
class PromptRow:
    """A locked row of the table prompts, as a change needs it."""

    id: UUID
    conversation_id: UUID
    author_id: UUID
    sequence_number: int
    parent_sequence: int | None
    status: PromptStatus
    user_input: str
    response: str | None
    token_count: int
    cost: Decimal
    variation_group: UUID | None


@attrs.frozen(slots=True)
class PromptWork:
    """A prompt as its next step needs it, with what the actor may do in the conversation.

    ``role`` and ``can_write`` are None for the system.
    """

    id: UUID
    conversation_id: UUID
    owner_id: UUID
    author_id: UUID
    sequence_number: int
    status: PromptStatus
    user_input: str
    response: str | None
    template_id: UUID | None
    template_version: int | None
    provider: str | None
    model: str | None
    token_count: int
    cost: Decimal
    attempt: int
    max_attempts: int
    finish_reason: str | None
    latency_ms: int | None
    first_token_ms: int | None
    lease_owner: str | None
    role: ParticipantRole | None
    can_write: bool | None


@attrs.frozen(slots=True)
class PricedWork(PromptWork):
    """With all prices of the model that answered."""

    prices: tuple[ModelPrice, ...]
