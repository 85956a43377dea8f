"""Users and their tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from dal.records.actor import Role
from dal.records.users import TokenPurpose
from tests.fill.sizes import (
    NOW,
    OWNER,
    START,
    Row,
    Tables,
    n_users,
    row_id,
)

__all__ = [
    "FAILURES_THAT_LOCK",
    "PASSWORD_HASH",
    "token_expires_at",
    "token_hash",
    "user_created_at",
    "user_deleted_at",
    "user_email",
    "user_failed_logins",
    "user_id",
    "user_is_active",
    "user_last_login_at",
    "user_locked_until",
    "user_name",
    "user_password_hash",
    "user_preferences",
    "user_role",
    "user_verified_at",
]

PASSWORD_HASH: Final = "$argon2id$v=19$m=19456,t=2,p=1$ZmlsbGVkLWluLXNhbHQ$ZmlsbGVkLWluLWhhc2g"
"""The hash of a password that nobody knows, of every user who has one."""

FAILURES_THAT_LOCK: Final = 5
"""Failed log-ins of whom a lock was set for."""

_ADMINS: Final = frozenset({4, 13, 14, 24, 34})

# Names that are hard to look for; each has one that is nearly the same.
_NAMES: Final = {
    20: "Zoë Müller",
    22: "zoe muller",
    30: "50% Off",
    32: "500 Miles",
    36: "Rene\u0301 Dupont",  # an accent of its own
    40: "under_score",
    42: "Underscore",
    44: "back\\slash",
    46: "backslash",
    48: "user48",
}

# Deleted users who had the address that a live one has now.
_FORMER_OWNERS: Final = frozenset({33, 43})


def user_id(n: int) -> UUID:
    """The id of user ``n``."""
    return row_id(1, n)


def user_deleted_at(n: int) -> datetime | None:
    """Every tenth user is deleted."""
    return START + timedelta(days=30, seconds=n) if n % 10 == 3 else None


def user_created_at(n: int) -> datetime:
    """The same time for two in a row; days go by."""
    return START + timedelta(hours=n // 2)


def user_email(n: int) -> str:
    """The address: the user's own, but for two of the deleted, who had OWNER's."""
    return f"user{OWNER if n in _FORMER_OWNERS else n}@example.org"


def user_name(n: int) -> str:
    """The full name."""
    return _NAMES.get(n, f"User {n}")


def user_role(n: int) -> Role:
    """Five admins, of whom 4, 14 and 24 are live and active; each tenth user is a viewer."""
    if n in _ADMINS:
        return Role.ADMIN
    return Role.VIEWER if n % 10 == 7 else Role.USER


def user_is_active(n: int) -> bool:
    """All but each tenth user and the admin 34."""
    return n % 10 != 8 and n != 34


def user_verified_at(n: int) -> datetime | None:
    """When it was shown that the address is the user's: of every second one, and of all deleted."""
    is_verified = n % 2 == 0 or n % 10 == 3
    return user_created_at(n) + timedelta(hours=1) if is_verified else None


def user_failed_logins(n: int) -> int:
    """Some have failed often enough for a lock, some twice."""
    return {5: FAILURES_THAT_LOCK, 6: 2, 9: FAILURES_THAT_LOCK}.get(n % 10, 0)


def user_locked_until(n: int) -> datetime | None:
    """Each tenth user is locked; of as many the lock is over by NOW, of user 9 exactly then."""
    if n % 10 == 5:
        return NOW + timedelta(days=100)
    return NOW - timedelta(hours=n // 10) if n % 10 == 9 else None


def user_last_login_at(n: int) -> datetime | None:
    """Within 50 days before NOW; 2, 14 and 60 exactly 1, 7 and 30 days before."""
    return None if n % 4 == 1 else NOW - timedelta(hours=n % 100 * 12)


def user_password_hash(n: int) -> str | None:
    """Each tenth user, STRANGER among them, has no password."""
    return None if n % 10 == 1 else PASSWORD_HASH


def user_preferences(n: int) -> dict[str, object]:
    """Two forms, and nothing for some."""
    forms: Sequence[dict[str, object]] = (
        {},
        {"theme": "dark", "page_rows": n},
        {"editor": {"tabs": [n, n + 1]}, "language": "de"},
    )
    return forms[n % 3]


def token_hash(n: int, purpose: TokenPurpose) -> bytes:
    """What is stored of the token that user ``n`` has, or would have, for a purpose."""
    return sha256(f"token of user {n}: {purpose}".encode()).digest()


def token_expires_at(n: int, purpose: TokenPurpose) -> datetime | None:
    """When the token of user ``n`` ends; None where there is none.

    Every second user has one for the address, every fourth one for the password, and the deleted
    have both. Those of users 6, 16, 26 and so on are over by NOW, of 6 and 16 exactly then.
    """
    if n % (4 if purpose is TokenPurpose.PASSWORD_RESET else 2) and n % 10 != 3:
        return None
    return NOW - timedelta(hours=n // 20) if n % 10 == 6 else NOW + timedelta(hours=1 + n % 24)


def _users(factor: int) -> Iterator[Row]:
    for n in range(n_users(factor)):
        created_at, deleted_at = user_created_at(n), user_deleted_at(n)
        yield {
            "id": user_id(n),
            "email": user_email(n),
            "full_name": user_name(n),
            "role": user_role(n),
            "is_active": user_is_active(n),
            "email_verified_at": user_verified_at(n),
            "password_hash": user_password_hash(n),
            "credentials_changed_at": created_at,
            "failed_logins": user_failed_logins(n),
            "locked_until": user_locked_until(n),
            "last_login_at": user_last_login_at(n),
            "preferences": json.dumps(user_preferences(n)),
            "created_at": created_at,
            "updated_at": deleted_at or created_at,
            "deleted_at": deleted_at,
        }


def _user_tokens(factor: int) -> Iterator[Row]:
    for n in range(n_users(factor)):
        for purpose in TokenPurpose:
            expires_at = token_expires_at(n, purpose)
            if expires_at is not None:
                at = expires_at - timedelta(days=1)
                yield {
                    "user_id": user_id(n),
                    "purpose": purpose,
                    "token_hash": token_hash(n, purpose),
                    "created_at": at,
                    "expires_at": expires_at,
                }


TABLES: Final[Tables] = {
    "users": _users,
    "user_tokens": _user_tokens,
}
