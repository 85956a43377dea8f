"""Shares of conversations: a link, what it shows, to whom, how long and how often."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2s, sha256
from hmac import compare_digest
from typing import Final, cast
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.clock import START_OF_TIME
from dal.records.keep import KEEP, Keep
from dal.records.page import Key, Page, decode_cursor, encode_cursor
from dal.records.text import free_text
from dal.secret import Secret

__all__ = [
    "IssuedShare",
    "NewShare",
    "OpenShareRow",
    "OpenedShare",
    "Share",
    "ShareScope",
    "SharedPrompt",
    "checked_max_views",
    "checked_valid_for",
    "next_page",
    "page_start",
    "share_token_hash",
    "shown_through",
]

_LONGEST: Final = timedelta(days=3650)
_MAX_NUMBER: Final = 2**32 - 1
_MAX_TOKEN_CHARS: Final = 200
_READING_TIME: Final = timedelta(hours=1)
_PAGES: Final = "conversations.shares.read_on"
_NO_PAGE: Final[Key] = (0, START_OF_TIME, UUID(int=0))


class ShareScope(StrEnum):
    """Who may open a share: whoever has the link, or of these whoever is logged in."""

    LINK = "link"
    USERS = "users"


@attrs.frozen(slots=True)
class Share:
    """A share as those see it who may share; the token is in no record but :class:`IssuedShare`.

    ``through_sequence`` is the number of the last prompt that it shows. ``max_views`` None is any
    number. ``expires_at`` is when it ended, once it was revoked.
    """

    id: UUID
    conversation_id: UUID
    created_by: UUID
    scope: ShareScope
    through_sequence: int
    expires_at: datetime
    max_views: int | None
    view_count: int
    last_viewed_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime


@attrs.frozen(slots=True)
class IssuedShare:
    """A new share and its token, which is shown this once: only its hash is stored."""

    share: Share
    token: Secret


@attrs.frozen(slots=True)
class SharedPrompt:
    """A prompt as a share shows it: neither who asked nor what it cost."""

    sequence_number: int
    user_input: str
    response: str | None
    created_at: datetime


@attrs.frozen(slots=True)
class OpenedShare:
    """What a share shows: the conversation, and a page of its prompts."""

    share_id: UUID
    title: str
    description: str | None
    created_at: datetime
    prompts: Page[SharedPrompt]


@attrs.frozen(slots=True)
class OpenShareRow:
    """A valid share, and what it shows of its conversation."""

    id: UUID
    conversation_id: UUID
    page_key: bytes = attrs.field(repr=False)
    title: str
    description: str | None
    created_at: datetime


def _scope(value: object) -> ShareScope:
    try:
        return ShareScope(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError("scope: link or users", field="scope") from None


def checked_valid_for(value: object) -> timedelta:
    """How long a share is valid from now on: every link ends.

    Raises:
        ValueRejectedError: not more than 0 and at most 3,650 days.
    """
    if not isinstance(value, timedelta) or not timedelta(0) < value <= _LONGEST:
        raise ValueRejectedError(
            "valid_for: a timedelta, more than 0 and at most 3650 days", field="valid_for"
        )
    return value


def _number(field: str, value: object, least: int) -> int:
    if type(value) is not int or not least <= value <= _MAX_NUMBER:
        raise ValueRejectedError(
            f"{field}: a whole number, {least} to {_MAX_NUMBER}, or None", field=field
        )
    return value


def checked_max_views(value: object) -> int | None:
    """How often a share is opened, in all. Raises ValueRejectedError for less than once."""
    return None if value is None else _number("max_views", value, 1)


def _through(value: object) -> int | None:
    return None if value is None else _number("through_sequence", value, 0)


@attrs.frozen(slots=True, kw_only=True)
class NewShare:
    """A share to create, checked when it is made."""

    scope: ShareScope = attrs.field(converter=_scope)
    through_sequence: int | None = attrs.field(converter=_through)
    valid_for: timedelta = attrs.field(converter=checked_valid_for)
    max_views: int | None = attrs.field(converter=checked_max_views)

    def shown(self, last_sequence: int) -> int:
        """The last prompt that it shows: without a word those that are there now.

        Raises:
            ValueRejectedError: a number that no prompt has yet.
        """
        return shown_through(self.through_sequence, last_sequence, otherwise=last_sequence)


def shown_through(value: int | Keep | None, last_sequence: int, *, otherwise: int) -> int:
    """Up to which prompt a share shows a conversation that has ``last_sequence``."""
    if value is None or value is KEEP:
        return otherwise
    through = _number("through_sequence", value, 0)
    if through > last_sequence:
        raise ValueRejectedError(
            "through_sequence: no prompt has that number yet", field="through_sequence"
        )
    return through


def share_token_hash(token: object) -> bytes:
    """What is stored of a token. Raises ValueRejectedError for what is no text."""
    text = token.reveal() if isinstance(token, Secret) else token
    return sha256(free_text("token", text, max_chars=_MAX_TOKEN_CHARS).encode()).digest()


def _signed(page_key: bytes, sequence_number: int, opened_at: datetime) -> UUID:
    text = f"{sequence_number} {opened_at.isoformat()}".encode()
    return UUID(bytes=blake2s(text, key=page_key, digest_size=16).digest())


def next_page(page_key: bytes, sequence_number: int, opened_at: datetime) -> str:
    """The cursor behind a prompt, for who opened the share at ``opened_at``.

    It is signed: whoever is not let in to count as a view cannot make one.
    """
    mac = _signed(page_key, sequence_number, opened_at)
    return encode_cursor(_PAGES, (sequence_number, opened_at, mac))


def page_start(page_key: bytes, after: str, now: datetime) -> tuple[int, datetime]:
    """The number that a page starts behind, and when the share was opened.

    Raises:
        ValueRejectedError: not a cursor of this share, or opened an hour ago.
    """
    number, opened_at, mac = cast(
        tuple[int, datetime, UUID], decode_cursor(_PAGES, after, _NO_PAGE)
    )
    if not compare_digest(mac.bytes, _signed(page_key, number, opened_at).bytes):
        raise ValueRejectedError("after: not a cursor of this share", field="after")
    if not opened_at <= now < opened_at + _READING_TIME:
        raise ValueRejectedError("after: over since; open the share again", field="after")
    return number, opened_at
