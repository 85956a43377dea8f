"""Prompts of a conversation: what was asked, what was answered, what it cost."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.ids import optional_id
from dal.records.text import MAX_PROMPT_BYTES, free_text, optional_text

__all__ = ["NewPrompt", "Prompt", "PromptHead", "PromptRow"]

_MAX_TOKENS: Final = 10**12
_MAX_COST: Final = Decimal(10) ** 9
_COST_STEP: Final = Decimal(10) ** -10


@attrs.frozen(slots=True)
class Prompt:
    """A prompt with its texts. ``cost`` is in US dollars, ``response`` None while there is none.

    ``sequence_number`` is its place in the conversation, from 1; that of a deleted one stays free.
    """

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


@attrs.frozen(slots=True)
class PromptHead:
    """The start of a prompt that a search found."""

    conversation_id: UUID
    sequence_number: int
    input_head: str
    response_head: str | None


@attrs.frozen(slots=True)
class PromptRow:
    """A locked row of the table prompts, as a change needs it."""

    id: UUID
    author_id: UUID
    sequence_number: int
    user_input: str
    response: str | None
    token_count: int
    cost: Decimal


def _input(value: object) -> str:
    return free_text("user_input", value, max_bytes=MAX_PROMPT_BYTES)


def _response(value: object) -> str | None:
    return optional_text("response", value, max_bytes=MAX_PROMPT_BYTES)


def _tokens(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_TOKENS:
        raise ValueRejectedError(
            f"token_count: a whole number, 0 to {_MAX_TOKENS}", field="token_count"
        )
    return value


def _cost(value: object) -> Decimal:
    """Of at most ten decimals, so that what is stored is what was given."""
    if type(value) is int:
        value = Decimal(value)
    if (
        not isinstance(value, Decimal)
        or not value.is_finite()
        or not 0 <= value <= _MAX_COST
        or value != value.quantize(_COST_STEP)
    ):
        raise ValueRejectedError(
            "cost: a Decimal of US dollars, 0 or more, with at most ten decimals", field="cost"
        )
    return value.quantize(_COST_STEP)


@attrs.frozen(slots=True, kw_only=True)
class NewPrompt:
    """A prompt to create, checked when it is made."""

    user_input: str = attrs.field(converter=_input)
    response: str | None = attrs.field(default=None, converter=_response)
    token_count: int = attrs.field(default=0, converter=_tokens)
    cost: Decimal = attrs.field(default=Decimal(0), converter=_cost)
    id: UUID | None = attrs.field(default=None, converter=optional_id)
