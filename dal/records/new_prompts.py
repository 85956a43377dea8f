"""What callers say of prompts: to create one, how it was answered, why it failed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.ids import check_id, optional_id
from dal.records.preferences import plain_object
from dal.records.prompts import PromptStatus
from dal.records.text import MAX_PROMPT_BYTES, free_text, optional_text
from dal.records.usage import checked_cost, checked_usage

__all__ = [
    "MAX_ATTEMPTS",
    "NewPrompt",
    "PromptAnswer",
    "PromptFailure",
    "PromptTexts",
    "checked_feedback",
    "checked_message",
    "checked_offset",
    "checked_part",
    "checked_rating",
    "checked_version",
    "checked_word",
    "checked_worker",
    "optional_error",
    "optional_rating",
]

MAX_ATTEMPTS: Final = 100
"""The most attempts that a prompt may be given."""

_MAX_UNSIGNED: Final = 2**32 - 1
_MAX_FEEDBACK_BYTES: Final = 65_535
_MAX_MESSAGE_CHARS: Final = 2_000


def _input(value: object) -> str:
    return free_text("user_input", value, max_bytes=MAX_PROMPT_BYTES)


def _system_prompt(value: object) -> str | None:
    return optional_text("system_prompt", value, max_bytes=MAX_PROMPT_BYTES)


def _response(value: object) -> str | None:
    return optional_text("response", value, max_bytes=MAX_PROMPT_BYTES)


def _answer(value: object) -> str:
    return free_text("response", value, max_bytes=MAX_PROMPT_BYTES)


def checked_word(field: str, value: object, max_chars: int) -> str:
    """A name that is compared byte by byte: without spaces around it, which no key would see.

    Raises:
        ValueRejectedError: no text of one line that shows, or a longer one; ``field`` is named.
    """
    word = free_text(field, value, max_chars=max_chars).strip()
    if not word or not word.isprintable():
        raise ValueRejectedError(f"{field}: something to see on one line is required", field=field)
    return word


def _optional_word(field: str, value: object, max_chars: int) -> str | None:
    return None if value is None else checked_word(field, value, max_chars)


def _provider(value: object) -> str | None:
    return _optional_word("provider", value, 100)


def _model(value: object) -> str | None:
    return _optional_word("model", value, 200)


def _finish_reason(value: object) -> str | None:
    return _optional_word("finish_reason", value, 64)


def _error_code(value: object) -> str:
    return checked_word("error_code", value, 64)


def _key(value: object) -> str | None:
    return _optional_word("idempotency_key", value, 100)


def _settings(value: object) -> dict[str, Any] | None:
    return None if value is None else plain_object("settings", value)


def _template_id(value: object) -> UUID | None:
    return None if value is None else check_id("template_id", value)


def _parent_id(value: object) -> UUID | None:
    return None if value is None else check_id("parent_id", value)


def _whole(field: str, value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueRejectedError(f"{field}: a whole number, {least} to {most}", field=field)
    return value


def checked_version(field: str, value: object) -> int:
    """The number of a version. Raises ValueRejectedError; ``field`` is named."""
    return _whole(field, value, 1, _MAX_UNSIGNED)


def _version(value: object) -> int | None:
    return None if value is None else checked_version("template_version", value)


def _attempts(value: object) -> int:
    return _whole("max_attempts", value, 1, MAX_ATTEMPTS)


def _latency(value: object) -> int | None:
    return None if value is None else _whole("latency_ms", value, 0, _MAX_UNSIGNED)


def _first_token(value: object) -> int | None:
    return None if value is None else _whole("first_token_ms", value, 0, _MAX_UNSIGNED)


def _cost(value: object) -> Decimal | None:
    return None if value is None else checked_cost(value)


def optional_error(value: object) -> str | None:
    """Why something failed, a word, or None. Raises ValueRejectedError; field ``error_code``."""
    return None if value is None else _error_code(value)


def checked_message(value: object) -> str | None:
    """Why something failed, in words. Raises ValueRejectedError; the field is ``error_message``."""
    return optional_text("error_message", value, max_chars=_MAX_MESSAGE_CHARS)


def checked_rating(value: object) -> int:
    """How good an answer is, 1 to 5. Raises ValueRejectedError; the field is ``rating``."""
    return _whole("rating", value, 1, 5)


def optional_rating(value: object) -> int | None:
    """As :func:`checked_rating`, or None."""
    return None if value is None else checked_rating(value)


def checked_feedback(value: object) -> str | None:
    """Why it was rated so, up to 65,535 bytes. Raises ValueRejectedError; field ``feedback``."""
    return optional_text("feedback", value, max_bytes=_MAX_FEEDBACK_BYTES)


def checked_worker(value: object) -> str | None:
    """The name of a worker that holds a lease, or None.

    Raises:
        ValueRejectedError: not one line of up to 100 characters; the field is ``worker``.
    """
    return _optional_word("worker", value, 100)


def checked_offset(value: object) -> int:
    """How many characters an answer has so far. Raises ValueRejectedError; field ``offset``."""
    return _whole("offset", value, 0, MAX_PROMPT_BYTES)


def checked_part(value: object) -> str:
    """What an answer goes on with. Raises ValueRejectedError; the field is ``text``."""
    return free_text("text", value, max_bytes=MAX_PROMPT_BYTES)


@attrs.frozen(slots=True, kw_only=True)
class PromptTexts:
    """What is said of a prompt however it comes in, checked when it is made."""

    user_input: str = attrs.field(converter=_input)
    system_prompt: str | None = attrs.field(default=None, converter=_system_prompt)
    response: str | None = attrs.field(default=None, converter=_response)
    template_id: UUID | None = attrs.field(default=None, converter=_template_id)
    template_version: int | None = attrs.field(default=None, converter=_version)
    provider: str | None = attrs.field(default=None, converter=_provider)
    model: str | None = attrs.field(default=None, converter=_model)
    settings: dict[str, Any] | None = attrs.field(default=None, converter=_settings)
    max_attempts: int = attrs.field(default=3, converter=_attempts)
    finish_reason: str | None = attrs.field(default=None, converter=_finish_reason)
    latency_ms: int | None = attrs.field(default=None, converter=_latency)
    first_token_ms: int | None = attrs.field(default=None, converter=_first_token)
    id: UUID | None = attrs.field(default=None, converter=optional_id)

    def __attrs_post_init__(self) -> None:
        if self.template_version is not None and self.template_id is None:
            raise ValueRejectedError(
                "template_version: of which template? template_id is missing",
                field="template_version",
            )


@attrs.frozen(slots=True, kw_only=True)
class NewPrompt(PromptTexts):
    """A prompt to create: with an answer it is completed, without one it waits for it."""

    usage: dict[str, int] = attrs.field(default=None, converter=checked_usage)
    cost: Decimal | None = attrs.field(default=None, converter=_cost)
    parent_id: UUID | None = attrs.field(default=None, converter=_parent_id)
    idempotency_key: str | None = attrs.field(default=None, converter=_key)

    def __attrs_post_init__(self) -> None:
        PromptTexts.__attrs_post_init__(self)
        if self.response is not None:
            return
        for field in ("usage", "cost", "finish_reason", "latency_ms", "first_token_ms"):
            if getattr(self, field):
                raise ValueRejectedError(f"{field}: there is no answer yet", field=field)

    @property
    def status(self) -> PromptStatus:
        """What the prompt begins as."""
        return PromptStatus.PENDING if self.response is None else PromptStatus.COMPLETED


@attrs.frozen(slots=True, kw_only=True)
class PromptAnswer:
    """How a prompt was answered, checked when it is made."""

    response: str = attrs.field(converter=_answer)
    usage: dict[str, int] = attrs.field(converter=checked_usage)
    cost: Decimal | None = attrs.field(converter=_cost)
    provider: str | None = attrs.field(converter=_provider)
    model: str | None = attrs.field(converter=_model)
    finish_reason: str | None = attrs.field(converter=_finish_reason)
    latency_ms: int | None = attrs.field(converter=_latency)
    first_token_ms: int | None = attrs.field(converter=_first_token)


@attrs.frozen(slots=True, kw_only=True)
class PromptFailure:
    """Why an attempt failed and what it took, checked when it is made."""

    error_code: str = attrs.field(converter=_error_code)
    error_message: str | None = attrs.field(converter=checked_message)
    usage: dict[str, int] = attrs.field(converter=checked_usage)
    cost: Decimal | None = attrs.field(converter=_cost)
    provider: str | None = attrs.field(converter=_provider)
    model: str | None = attrs.field(converter=_model)
    latency_ms: int | None = attrs.field(converter=_latency)
