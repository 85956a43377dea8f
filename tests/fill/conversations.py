"""Conversations and who takes part in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from tests.fill.sizes import OWNER, START, Row, Tables, n_users, row_id
from tests.fill.users import user_id

__all__ = [
    "A_BARE_CONVERSATION",
    "conversation_archived_at",
    "conversation_deleted_at",
    "conversation_id",
    "conversation_last_activity_at",
    "conversation_owner",
    "n_conversations",
    "participants",
]

_CONVERSATIONS: Final = 200
_A_DELETED_USER: Final = 3

A_BARE_CONVERSATION: Final = 28
"""One in OWNER's trash that nobody takes part in any more, as in the middle of a purge."""


def n_conversations(factor: int) -> int:
    """How many conversations there are at a size, the deleted ones too."""
    return _CONVERSATIONS * factor


def conversation_id(n: int) -> UUID:
    """The id of conversation ``n``."""
    return row_id(7, n)


def conversation_owner(n: int, factor: int) -> int:
    """The number of the owner: OWNER's are the multiples of four."""
    return OWNER if n % 4 == 0 else 2 + n * 7 % (n_users(factor) - 2)


def conversation_deleted_at(n: int) -> datetime | None:
    """A fifth of OWNER's, two at the same time, and some of others."""
    if n % 4 == 0:
        return START + timedelta(days=30, hours=n // 40) if n % 20 == 8 else None
    return START + timedelta(days=30) if n % 11 == 5 else None


def conversation_archived_at(n: int) -> datetime | None:
    """A fifth of OWNER's, four at the same time, and some of others."""
    if n % 4 == 0:
        return START + timedelta(days=20, hours=n // 80) if n % 20 == 12 else None
    return START + timedelta(days=20) if n % 7 == 2 else None


def conversation_last_activity_at(n: int) -> datetime:
    """The same time for two of OWNER's in a row, for two that are archived too."""
    return START + timedelta(days=10, hours=n // 40 if n % 20 == 12 else n // 8)


def participants(n: int, factor: int) -> dict[int, str]:
    """Who takes part in conversation ``n``, by their numbers, and as what.

    OWNER does in a quarter of the others', a deleted user in every fifth of OWNER's, STRANGER in
    none; one of a hundred conversations has thirty more.
    """
    if n == A_BARE_CONVERSATION:
        return {}
    found = {conversation_owner(n, factor): "owner"}
    if n % 4 == 1:
        found.setdefault(OWNER, "collaborator" if n % 8 == 1 else "viewer")
    if n % 20 == 0:
        found.setdefault(_A_DELETED_USER, "viewer")
    for k in range(n % 3 + 30 * (n % 100 == 40)):
        user = 2 + (n * 5 + k * 7) % (n_users(factor) - 2)
        found.setdefault(user, "viewer" if k % 2 else "collaborator")
    return found


def _conversations(factor: int) -> Iterator[Row]:
    for n in range(n_conversations(factor)):
        created_at = START + timedelta(hours=n // 8)
        deleted_at = conversation_deleted_at(n)
        yield {
            "id": conversation_id(n),
            "owner_id": user_id(conversation_owner(n, factor)),
            "title": f"Conversation {n}",
            "description": None if n % 2 else f"About {n}",
            "context": json.dumps({"about": n}),
            "settings": json.dumps({"model": "a-model"}),
            "status": ("active", "paused", "completed")[n // 4 % 3],
            "archived_at": conversation_archived_at(n),
            "last_activity_at": conversation_last_activity_at(n),
            "last_sequence": n % 30,
            "message_count": n % 30,
            "token_count": n % 30 * 100,
            "cost": Decimal(n % 30) / 1000,
            "created_at": created_at,
            "updated_at": deleted_at or created_at,
            "deleted_at": deleted_at,
        }


def _participants(factor: int) -> Iterator[Row]:
    for n in range(n_conversations(factor)):
        for user, role in participants(n, factor).items():
            yield {
                "conversation_id": conversation_id(n),
                "user_id": user_id(user),
                "role": role,
                "can_write": role != "viewer",
                "can_share": role == "owner",
                "is_pinned": (n + user) % 5 == 1,
                "last_read_sequence": n % 30 // 2,
                "last_accessed_at": None if user % 2 else START + timedelta(days=11),
                "added_by": user_id(conversation_owner(n, factor)),
                "joined_at": START + timedelta(hours=n // 8),
                "updated_at": START + timedelta(hours=n // 8),
            }


TABLES: Final[Tables] = {
    "conversations": _conversations,
    "conversation_participants": _participants,
}
