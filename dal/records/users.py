"""Users: who may log in, what they may do, and what they own things as."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.actor import Role
from dal.records.ids import check_id
from dal.records.text import free_text
from dal.secret import Secret

__all__ = [
    "Account",
    "IssuedToken",
    "LoginRefusal",
    "NewUser",
    "TokenPurpose",
    "User",
    "UserKey",
    "UserPreferences",
    "UserStatistics",
    "UsersOfDay",
    "checked_full_name",
    "checked_role",
    "normalize_email",
]

_MAX_EMAIL_CHARS = 254  # RFC 5321, errata 1690
_MAX_NAME_CHARS = 100
# Control and format characters, line and paragraph separators, spaces: not seen, or not in a line.
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})


def normalize_email(email: object) -> str:
    """An address as it is stored and looked up: trimmed, NFC, lower case.

    Raises:
        ValueRejectedError: not text, too long, with an invisible character, or without a local
            part, one @ and a domain.
    """
    text = free_text("email", email, max_chars=4 * _MAX_EMAIL_CHARS)
    address = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).strip().lower())
    local, _, domain = address.rpartition("@")
    invisible = any(unicodedata.category(c) in _INVISIBLE for c in address)
    if not local or "@" in local or not all(domain.split(".")) or invisible:
        raise ValueRejectedError("email: name@domain is required", field="email")
    if len(address) > _MAX_EMAIL_CHARS:
        raise ValueRejectedError(f"email: at most {_MAX_EMAIL_CHARS} characters", field="email")
    return address


def checked_full_name(value: object) -> str:
    """A name, byte for byte as it is given.

    Raises:
        ValueRejectedError: not text, blank, or over 100 characters.
    """
    name = free_text("full_name", value, max_chars=_MAX_NAME_CHARS)
    if not name.strip():
        raise ValueRejectedError("full_name: must not be blank", field="full_name")
    return name


def checked_role(value: object) -> Role:
    """A role by its name.

    Raises:
        ValueRejectedError: there is no such role.
    """
    try:
        return Role(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError(f"role: one of {', '.join(Role)}", field="role") from None


@attrs.frozen(slots=True)
class User:
    """A user as the database has them, without what proves who they are.

    ``credentials_changed_at`` is when password, role or activity changed last: what was issued
    before is to be refused. A log-in is never before it, and what was issued at a log-in before a
    change is: compare ``last_login_at`` of the log-in with ``<``. ``updated_at`` tells changes of
    the account, not log-ins.
    """

    id: UUID
    email: str
    full_name: str
    role: Role
    is_active: bool
    email_verified_at: datetime | None
    credentials_changed_at: datetime
    locked_until: datetime | None
    last_login_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@attrs.frozen(slots=True)
class Account(User):
    """What a log-in looks at. It never leaves this package."""

    failed_logins: int
    password_hash: str | None = attrs.field(repr=False)

    @property
    def user(self) -> User:
        """The same without the hash and the count."""
        return User(**{field.name: getattr(self, field.name) for field in attrs.fields(User)})


@attrs.frozen(slots=True)
class UserKey:
    """Where a user stands in a list from the newest to the oldest."""

    created_at: datetime
    id: UUID


@attrs.frozen(slots=True)
class UserPreferences:
    """The preferences as they are stored: one document."""

    preferences: dict[str, Any]


@attrs.frozen(slots=True)
class UsersOfDay:
    """How many of the live users were created on a day."""

    day: date
    users: int


@attrs.frozen(slots=True)
class UserStatistics:
    """Numbers of live users. Who logged in within the last 1, 7 and 30 days is active daily,
    weekly and monthly: within 24 hours, 7 * 24 hours, 30 * 24 hours.
    """

    total: int
    active: int
    inactive: int
    admins: int
    users: int
    viewers: int
    email_verified: int
    locked: int
    never_logged_in: int
    daily_active: int
    weekly_active: int
    monthly_active: int


class LoginRefusal(StrEnum):
    """Why a log-in was refused: in the audit log, never in the answer."""

    UNKNOWN = "unknown"
    LOCKED = "locked"
    INACTIVE = "inactive"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  a reason, not a password


class TokenPurpose(StrEnum):
    """What a token lets its holder do, once."""

    PASSWORD_RESET = "password_reset"  # noqa: S105  a purpose, not a password
    EMAIL_VERIFICATION = "email_verification"


@attrs.frozen(slots=True)
class IssuedToken:
    """A token for the user's mailbox. ``token.reveal()`` is its text, and only here: the database
    has a hash. It holds 256 random bits in 43 letters that fit into a URL.
    """

    user_id: UUID
    email: str
    purpose: TokenPurpose
    token: Secret
    expires_at: datetime


@attrs.frozen(slots=True, kw_only=True)
class NewUser:
    """A user to create, checked when it is made. ``id`` may be given, so that a caller can retry.

    ``email`` is normalised; ``full_name`` is 1 to 100 characters and kept byte for byte.
    """

    email: str = attrs.field(converter=normalize_email)
    full_name: str = attrs.field(converter=checked_full_name)
    role: Role = attrs.field(default=Role.USER, converter=checked_role)
    id: UUID | None = attrs.field(default=None)

    @id.validator
    def _check_id(self, _: object, value: object) -> None:
        if value is not None:
            check_id("id", value)
