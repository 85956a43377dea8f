"""Conversations and who takes part in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final
from uuid import UUID

from dal.search import CONVERSATIONS, impacts
from tests.fill.sizes import NOW, OWNER, START, Row, Tables, n_users, row_id
from tests.fill.templates import template_id
from tests.fill.users import user_id

__all__ = [
    "A_BARE_CONVERSATION",
    "VARIATIONS",
    "WORKER",
    "active_prompt",
    "conversation_archived_at",
    "conversation_created_at",
    "conversation_deleted_at",
    "conversation_id",
    "conversation_last_activity_at",
    "conversation_owner",
    "conversation_status",
    "conversation_totals",
    "is_pinned",
    "last_read",
    "lease_until",
    "live_prompts",
    "n_conversations",
    "n_prompts",
    "participants",
    "prompt_attempts",
    "prompt_created_at",
    "prompt_id",
    "prompt_is_deleted",
    "prompt_key",
    "prompt_numbers",
    "prompt_parent",
    "prompt_postings_of",
    "prompt_queued_at",
    "prompt_status",
    "prompt_texts",
    "share_expires_at",
    "share_hash",
    "share_id",
    "share_is_revoked",
    "share_state",
    "share_views",
    "shares",
]

_CONVERSATIONS: Final = 200
_A_DELETED_USER: Final = 3
_AN_INACTIVE_USER: Final = 8

WORKER: Final = "worker-1"
"""Who has the lease of each prompt that is processed."""

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


def conversation_status(n: int) -> str:
    """Each a third of OWNER's."""
    return ("active", "paused", "completed")[n // 4 % 3]


def is_pinned(n: int, user: int) -> bool:
    """Whether somebody who takes part pinned conversation ``n``: a fifth, one of them all."""
    return (n + user) % 5 == 1 or user == _A_DELETED_USER


def conversation_last_activity_at(n: int) -> datetime:
    """The same time for two of OWNER's in a row, for two that are archived too."""
    return START + timedelta(days=10, hours=n // 40 if n % 20 == 12 else n // 8)


def participants(n: int, factor: int) -> dict[int, str]:
    """Who takes part in conversation ``n``, by their numbers, and as what.

    OWNER does in a quarter of the others', a deleted user in every fifth of OWNER's, in another
    fifth one who is not active, STRANGER in none; one of a hundred conversations has thirty more.
    """
    if n == A_BARE_CONVERSATION:
        return {}
    found = {conversation_owner(n, factor): "owner"}
    if n % 4 == 1:
        found.setdefault(OWNER, "collaborator" if n % 8 == 1 else "viewer")
    if n % 20 == 0:
        found.setdefault(_A_DELETED_USER, "viewer")
    if n % 20 == 4:
        found.setdefault(_AN_INACTIVE_USER, "viewer")
    for k in range(n % 3 + 30 * (n % 100 == 60)):
        user = 2 + (n * 5 + k * 7) % (n_users(factor) - 2)
        found.setdefault(user, "viewer" if k % 2 else "collaborator")
    return found


def may_share(n: int, user: int, role: str) -> bool:
    """The owner, OWNER as a collaborator, and two whose links open nothing for what they are."""
    is_collaborator = user == OWNER and n % 8 == 1
    return role == "owner" or is_collaborator or user in (_A_DELETED_USER, _AN_INACTIVE_USER)


_FIRST_TO_END: Final = (32, 0)

SHARE_STATES: Final = ("open", "users", "revoked", "expired", "spent", "old")


def share_state(n: int, k: int) -> str:
    """What has become of share ``k`` of conversation ``n``."""
    return SHARE_STATES[(n // 4 + k + 3) % 6]


def shares(n: int, factor: int) -> dict[int, int]:
    """The shares of conversation ``n`` by their numbers, and who created each.

    Of OWNER's one to three by the owner, and one more by somebody whose links open nothing; OWNER
    made one of each that they take part in.
    """
    if n == A_BARE_CONVERSATION or n % 4 > 1:
        return {}
    if n % 4 == 1:
        return {0: OWNER}
    found = dict.fromkeys(range(1 + n // 4 % 3), conversation_owner(n, factor))
    if n % 20 in (0, 4):
        found[6 + (3 - n // 4) % 6] = _A_DELETED_USER if n % 20 == 0 else _AN_INACTIVE_USER
    return found


def share_id(n: int, k: int) -> UUID:
    """The id of share ``k`` of conversation ``n``."""
    return row_id(9, n * 16 + k)


def share_hash(n: int, k: int) -> bytes:
    """What is stored of the token of share ``k`` of conversation ``n``."""
    return sha256(f"share {k} of {n}".encode()).digest()


def share_expires_at(n: int, k: int) -> datetime:
    """In the future, but for those that have ended: some at this very moment, one first of all."""
    if (n, k) == _FIRST_TO_END:
        return NOW - timedelta(days=90)
    ends = {"revoked": -20, "expired": 0, "old": -60}
    return NOW + timedelta(days=ends.get(share_state(n, k), 20), seconds=n % 3 - 2)


def share_is_revoked(n: int, k: int) -> bool:
    """Whether it was, in the past."""
    return share_state(n, k) == "revoked"


def share_views(n: int, k: int) -> tuple[int, int | None]:
    """How often it was opened, and how often it can be."""
    return {"spent": (9, 9), "users": (3, 10)}.get(share_state(n, k), (n % 5, None))


def _shares(factor: int) -> Iterator[Row]:
    for n in range(n_conversations(factor)):
        for k, creator in shares(n, factor).items():
            created_at = START + timedelta(days=12, hours=n // 8)
            ends = share_expires_at(n, k)
            views, most = share_views(n, k)
            yield {
                "id": share_id(n, k),
                "conversation_id": conversation_id(n),
                "created_by": user_id(creator),
                "token_hash": share_hash(n, k),
                "page_key": share_hash(n, k)[::-1],
                "scope": "users" if share_state(n, k) == "users" else "link",
                "through_sequence": n_prompts(n) * 2 // 3,
                # A revoked one that would not have ended yet shows that it is looked at.
                "expires_at": NOW + timedelta(days=9) if share_is_revoked(n, k) else ends,
                "max_views": most,
                "view_count": views,
                "last_viewed_at": START + timedelta(days=13) if views else None,
                "revoked_at": ends if share_is_revoked(n, k) else None,
                "created_at": created_at,
                "updated_at": created_at,
            }


def n_prompts(n: int) -> int:
    """How many prompts conversation ``n`` was given, the deleted ones too."""
    return 0 if n == A_BARE_CONVERSATION else n % 31


def prompt_id(n: int, k: int) -> UUID:
    """The id of prompt ``k`` of conversation ``n``, from 1."""
    return row_id(8, n * 32 + k)


def prompt_created_at(n: int, k: int) -> datetime:
    """One a minute, the last ones when something was said last."""
    return conversation_last_activity_at(n) - timedelta(minutes=40 - k)


def conversation_created_at(n: int) -> datetime:
    """Eight an hour."""
    return START + timedelta(hours=n // 8)


def prompt_texts(n: int, k: int) -> tuple[str, str | None]:
    """What was asked and answered in prompt ``k`` of conversation ``n``."""
    if prompt_status(k) in ("processing", "failed"):
        return f"Question {k} of {n}", None
    return f"Question {k} of {n}", f"Answer {k}"


def conversation_texts(n: int) -> tuple[str, str | None]:
    """Title and description of conversation ``n``."""
    return f"Conversation {n}", None if n % 2 else f"About {n}"


VARIATIONS: Final = {18: 1, 19: 2, 21: 3, 24: 4}
"""Numbers of the prompts that are variations, the last one deleted; of an even conversation the
first one is selected.
"""


def prompt_status(k: int) -> str:
    """What has no answer waits, is processed, or failed, and two that are deleted; every eleventh
    was cancelled.
    """
    if k in (17, 24):
        return "pending" if k == 17 else "failed"
    if k % 5 == 0:
        return ("pending", "processing", "failed")[(k // 5 - 1) % 3]
    return "cancelled" if k % 11 == 6 else "completed"


# Of deleted ones: one was deleted with what it follows, one at another time, one by itself.
_PARENTS: Final = {10: 7, 24: 17, 27: 17}


def prompt_parent(k: int) -> int | None:
    """The live one before; every ninth follows the one before that."""
    if k in _PARENTS:
        return _PARENTS[k]
    before = [j for j in range(1, k) if not prompt_is_deleted(j)]
    return before[-2 if k % 9 == 0 else -1] if before else None


def prompt_attempts(k: int) -> int:
    """How often it was started: thrice in vain every thirtieth, and the ninth twice."""
    return {0: 3, 9: 2}.get(k % 30, 1)


def lease_until(n: int) -> datetime:
    """When the leases of conversation ``n`` end: of a third at this very moment."""
    return NOW + timedelta(seconds=n % 3 - 1)


def prompt_queued_at(n: int, k: int) -> datetime:
    """When it was asked; one of OWNER's waits longest."""
    return prompt_created_at(n, k) - timedelta(days=(n, k) == (60, 5))


def prompt_key(n: int, k: int) -> str | None:
    """The first one and a deleted one have a key of the caller."""
    return f"key {k} of {n}" if k in (1, 3) else None


def prompt_is_deleted(k: int) -> bool:
    """Every seventh is, and one more."""
    return k % 7 == 3 or k == 27


def prompt_deleted_at(n: int, k: int) -> datetime | None:
    """A day after it was asked; the last one with the one that it follows."""
    at = prompt_created_at(n, 17 if k == 24 else k)
    return at + timedelta(days=1) if prompt_is_deleted(k) else None


def prompt_numbers(k: int) -> tuple[int, Decimal]:
    """Tokens and cost of prompt ``k``."""
    return 100 + k, Decimal(k) / 1000


def live_prompts(n: int) -> list[int]:
    """The numbers of the live prompts of conversation ``n``."""
    return [k for k in range(1, n_prompts(n) + 1) if not prompt_is_deleted(k)]


def active_prompt(n: int) -> int | None:
    """Where conversation ``n`` stands: at its last live prompt."""
    return max(live_prompts(n), default=None)


def conversation_totals(n: int) -> tuple[int, int, Decimal]:
    """How many live prompts there are, their tokens and their cost."""
    numbers = [prompt_numbers(k) for k in live_prompts(n)]
    cost = sum((cost for _, cost in numbers), Decimal(0))
    return len(numbers), sum(tokens for tokens, _ in numbers), cost.quantize(Decimal(10) ** -18)


def last_read(n: int) -> int:
    """Up to which prompt those have read who take part in conversation ``n``."""
    return n_prompts(n) // 2


def _prompts(factor: int) -> Iterator[Row]:
    for n in range(n_conversations(factor)):
        for k in range(1, n_prompts(n) + 1):
            at = prompt_created_at(n, k)
            tokens, cost = prompt_numbers(k)
            yield {
                "id": prompt_id(n, k),
                "conversation_id": conversation_id(n),
                "author_id": user_id(conversation_owner(n, factor)),
                "sequence_number": k,
                "parent_sequence": prompt_parent(k),
                "status": prompt_status(k),
                "user_input": prompt_texts(n, k)[0],
                "system_prompt": "Be kind." if k % 2 else None,
                "response": prompt_texts(n, k)[1],
                "template_id": template_id(0) if k % 4 == 0 else None,
                "template_version": 1 if k % 4 == 0 else None,
                "provider": "a-provider",
                "model": "a-model",
                "settings": json.dumps({"temperature": k}) if k % 2 else None,
                "token_count": tokens,
                "cost": cost,
                "attempt": prompt_attempts(k),
                "max_attempts": 1 if n % 2 else 3,
                "error_code": "timeout" if prompt_status(k) in ("pending", "failed") else None,
                "error_message": "slow" if prompt_status(k) in ("pending", "failed") else None,
                "finish_reason": "stop" if prompt_status(k) == "completed" else None,
                "queued_at": prompt_queued_at(n, k),
                "started_at": at,
                "finished_at": None if prompt_status(k) in ("pending", "processing") else at,
                "latency_ms": 100 * k,
                "first_token_ms": 10 * k,
                "lease_owner": WORKER if prompt_status(k) == "processing" else None,
                "lease_until": lease_until(n) if prompt_status(k) == "processing" else None,
                "idempotency_key": prompt_key(n, k),
                "variation_group": prompt_id(n, 18) if k in VARIATIONS else None,
                "variation_number": VARIATIONS.get(k),
                "is_selected": k == 18 and n % 2 == 0,
                "rating": 4 if k == 2 else None,
                "feedback": "good" if k == 2 else None,
                "rated_at": at if k == 2 else None,
                "created_at": at,
                "updated_at": at,
                "deleted_at": prompt_deleted_at(n, k),
            }


def _conversations(factor: int) -> Iterator[Row]:
    for n in range(n_conversations(factor)):
        created_at = conversation_created_at(n)
        messages, tokens, cost = conversation_totals(n)
        deleted_at = conversation_deleted_at(n)
        yield {
            "id": conversation_id(n),
            "owner_id": user_id(conversation_owner(n, factor)),
            "title": conversation_texts(n)[0],
            "description": conversation_texts(n)[1],
            "context": json.dumps({"about": n}),
            "settings": json.dumps({"model": "a-model"}),
            "status": conversation_status(n),
            "archived_at": conversation_archived_at(n),
            "last_activity_at": conversation_last_activity_at(n),
            "last_sequence": n_prompts(n),
            "active_sequence": active_prompt(n),
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
                "can_share": may_share(n, user, role),
                "is_pinned": is_pinned(n, user),
                "last_read_sequence": last_read(n),
                "last_accessed_at": None if user % 2 else START + timedelta(days=11),
                "added_by": user_id(conversation_owner(n, factor)),
                "joined_at": START + timedelta(hours=n // 8),
                "updated_at": START + timedelta(hours=n // 8),
            }


def prompt_postings_of(n: int, k: int) -> dict[int, int]:
    """The terms of prompt ``k`` of conversation ``n`` with their impacts; of its title for 0."""
    if k == 0:
        title, texts = conversation_texts(n)[0], [conversation_texts(n)[1]]
    else:
        title, texts = "", list(prompt_texts(n, k))
        if prompt_status(k) != "completed":
            texts = texts[:1]
    return impacts(title, texts, pivot_terms=CONVERSATIONS.pivot_terms)


def _prompt_postings(factor: int) -> Iterator[Row]:
    for n in range(n_conversations(factor)):
        for k in [] if n == A_BARE_CONVERSATION else [0, *live_prompts(n)]:
            for term, impact in sorted(prompt_postings_of(n, k).items()):
                yield {
                    "term": term,
                    "scope": user_id(conversation_owner(n, factor)),
                    "impact": impact,
                    "conversation_id": conversation_id(n),
                    "sequence_number": k,
                }


TABLES: Final[Tables] = {
    "conversations": _conversations,
    "conversation_participants": _participants,
    "conversation_shares": _shares,
    "prompts": _prompts,
    "prompt_postings": _prompt_postings,
}
