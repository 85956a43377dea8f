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
    "conversation_totals",
    "last_read",
    "live_prompts",
    "n_conversations",
    "n_prompts",
    "participants",
    "prompt_id",
    "prompt_numbers",
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
    for k in range(n % 3 + 30 * (n % 100 == 60)):
        user = 2 + (n * 5 + k * 7) % (n_users(factor) - 2)
        found.setdefault(user, "viewer" if k % 2 else "collaborator")
    return found


def n_prompts(n: int) -> int:
    """How many prompts conversation ``n`` was given, the deleted ones too."""
    return 0 if n == A_BARE_CONVERSATION else n % 31


def prompt_id(n: int, k: int) -> UUID:
    """The id of prompt ``k`` of conversation ``n``, from 1."""
    return row_id(8, n * 32 + k)


def prompt_is_deleted(k: int) -> bool:
    """Every seventh is."""
    return k % 7 == 3


def prompt_numbers(k: int) -> tuple[int, Decimal]:
    """Tokens and cost of prompt ``k``."""
    return 100 + k, Decimal(k) / 1000


def live_prompts(n: int) -> list[int]:
    """The numbers of the live prompts of conversation ``n``."""
    return [k for k in range(1, n_prompts(n) + 1) if not prompt_is_deleted(k)]


def conversation_totals(n: int) -> tuple[int, int, Decimal]:
    """How many live prompts there are, their tokens and their cost."""
    numbers = [prompt_numbers(k) for k in live_prompts(n)]
    cost = sum((cost for _, cost in numbers), Decimal(0))
    return len(numbers), sum(tokens for tokens, _ in numbers), cost.quantize(Decimal(10) ** -10)


def last_read(n: int) -> int:
    """Up to which prompt those have read who take part in conversation ``n``."""
    return n_prompts(n) // 2


def _prompts(factor: int) -> Iterator[Row]:
    for n in range(n_conversations(factor)):
        for k in range(1, n_prompts(n) + 1):
            at = conversation_last_activity_at(n) - timedelta(minutes=40 - k)
            tokens, cost = prompt_numbers(k)
            yield {
                "id": prompt_id(n, k),
                "conversation_id": conversation_id(n),
                "author_id": user_id(conversation_owner(n, factor)),
                "sequence_number": k,
                "user_input": f"Question {k} of {n}",
                "response": None if k % 5 == 0 else f"Answer {k}",
                "token_count": tokens,
                "cost": cost,
                "created_at": at,
                "updated_at": at,
                "deleted_at": at + timedelta(days=1) if prompt_is_deleted(k) else None,
            }


def _conversations(factor: int) -> Iterator[Row]:
    for n in range(n_conversations(factor)):
        created_at = START + timedelta(hours=n // 8)
        messages, tokens, cost = conversation_totals(n)
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
            "last_sequence": n_prompts(n),
            "message_count": messages,
            "token_count": tokens,
            "cost": cost,
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
                "last_read_sequence": last_read(n),
                "last_accessed_at": None if user % 2 else START + timedelta(days=11),
                "added_by": user_id(conversation_owner(n, factor)),
                "joined_at": START + timedelta(hours=n // 8),
                "updated_at": START + timedelta(hours=n // 8),
            }


TABLES: Final[Tables] = {
    "conversations": _conversations,
    "conversation_participants": _participants,
    "prompts": _prompts,
}
