"""Users: the people who own templates."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.ids import check_id
from dal.records.text import free_text

__all__ = ["NewUser", "User", "normalize_email"]

_MAX_EMAIL_CHARS = 254  # RFC 5321, errata 1690


def normalize_email(email: object) -> str:
    """An address as it is stored and looked up: trimmed, NFC, lower case.

    Raises:
        ValueRejectedError: not text, too long, or without a local part, one @ and a domain.
    """
    text = free_text("email", email, max_chars=4 * _MAX_EMAIL_CHARS)
    address = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).strip().lower())
    local, at, domain = address.rpartition("@")
    unprintable = any(c.isspace() or unicodedata.category(c) == "Cc" for c in address)
    if not (local and at and domain) or "@" in local or unprintable:
        raise ValueRejectedError("email: name@domain is required", field="email")
    if len(address) > _MAX_EMAIL_CHARS:
        raise ValueRejectedError(f"email: at most {_MAX_EMAIL_CHARS} characters", field="email")
    return address


@attrs.frozen(slots=True)
class User:
    """A user as the database has them."""

    id: UUID
    email: str
    full_name: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@attrs.frozen(slots=True, kw_only=True)
class NewUser:
    """A user to create, checked when it is made. ``id`` may be given, so that a caller can retry.

    ``email`` is normalised; ``full_name`` is up to 100 characters and kept byte for byte.
    """

    email: str = attrs.field(converter=normalize_email)
    full_name: str = attrs.field()
    id: UUID | None = attrs.field(default=None)

    @full_name.validator
    def _check_full_name(self, _: object, value: object) -> None:
        free_text("full_name", value, max_chars=100)

    @id.validator
    def _check_id(self, _: object, value: object) -> None:
        if value is not None:
            check_id("id", value)
