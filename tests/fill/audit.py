"""Audit entries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from tests.fill.sizes import (
    OWNER,
    START,
    Row,
    Tables,
    n_templates,
    n_users,
    row_id,
)
from tests.fill.templates import template_id
from tests.fill.users import user_id

__all__ = [
    "SEALED",
    "audit_entry",
    "audit_id",
    "checkpoint",
    "hold",
    "hold_id",
    "is_security",
    "n_checkpoints",
    "n_entries",
    "n_holds",
    "n_seals",
    "seal",
    "seal_of",
    "sealed_entry",
]

_AUDIT_LOGS: Final = 1_000
SEALED: Final = 50
"""Entries of a seal."""


def audit_id(n: int) -> UUID:
    """The id of audit entry ``n``."""
    return row_id(5, n)


def n_entries(factor: int) -> int:
    """How many entries there are."""
    return _AUDIT_LOGS * factor


def audit_entry(n: int, factor: int) -> dict[str, object]:
    """Entry ``n``: mostly what users and a job did to templates; each twentieth is a failed log-in,
    of a user, or of an address that nobody has, from one of five IPs or from none.
    """
    by_user = n % 5 != 1
    actor = OWNER if n % 10 == 0 else 2 + n % (n_users(factor) - 2)
    row: dict[str, object] = {
        "id": audit_id(n),
        "occurred_at": START + timedelta(minutes=n // 20),
        "actor_type": "user" if by_user else "system",
        "actor_id": user_id(actor) if by_user else None,
        "actor_name": None if by_user else "import",
        "action": "template.update_details",
        "target_type": "template",
        # Template 0 is one that is changed all the time.
        "target_id": template_id(0 if n % 10 == 5 else n % n_templates(factor)),
        "outcome": "denied" if n % 50 == 7 else "success",
        "affected": 1,
        "changes": json.dumps(
            {"name": {"from": f"Template {n}", "to": f"Template {n + 1}"}},
            separators=(",", ":"),
        ),
        "request_id": None if n % 3 else f"request-{n}",
        "ip": None,
        "user_agent": None,
        "category": "data",
        "severity": "high" if n % 50 == 9 else "low",
    }
    if n % 20 == 13:
        row |= {
            "actor_type": "anonymous",
            "actor_id": None,
            "action": "user.update_password" if n % 100 == 33 else "user.authenticate",
            "target_type": "user",
            "target_id": user_id(2 + n // 20 % 7) if n % 60 == 13 else None,
            "outcome": "success" if n % 100 == 93 else "failure",
            "ip": f"192.0.2.{n // 20 % 5}" if n % 40 == 13 else None,
            "category": "authentication",
            "severity": "medium",
        }
    return row


def is_security(row: Mapping[str, object]) -> bool:
    """Whether the security log lists it."""
    return (
        row["category"] == "authentication"
        or row["severity"] in ("high", "critical")
        or row["outcome"] == "denied"
    )


def _audit_logs(factor: int) -> Iterator[Row]:
    return (audit_entry(n, factor) for n in range(n_entries(factor)))


def n_seals(factor: int) -> int:
    """How many seals there are: of 50 entries each; a fifth of the entries has none yet."""
    return n_entries(factor) * 4 // 5 // SEALED


def seal(number: int) -> dict[str, object]:
    """A seal, which no hash fits: what is checked here is how it is stored and found."""
    last = number * SEALED - 1
    return {
        "number": number,
        "sealed_at": START + timedelta(minutes=last // 20 + 1),
        "since": START,
        "entry_count": SEALED,
        "first_at": START + timedelta(minutes=(last + 1 - SEALED) // 20),
        "last_at": START + timedelta(minutes=last // 20),
        "previous_sha256": bytes(32) if number == 1 else number.to_bytes(32),
        "sha256": (number + 1).to_bytes(32),
    }


def seal_of(n: int, factor: int) -> int | None:
    """The seal of entry ``n``."""
    number = n // SEALED + 1
    return number if number <= n_seals(factor) else None


def sealed_entry(n: int, factor: int) -> dict[str, object]:
    """That entry ``n`` is of its seal."""
    return {
        "audit_id": audit_id(n),
        "seal_number": seal_of(n, factor),
        "sha256": n.to_bytes(32),
    }


def n_checkpoints(factor: int) -> int:
    """How many checkpoints there are: of every second seal two."""
    return n_seals(factor)


def checkpoint(number: int) -> dict[str, object]:
    """A checkpoint: 1 and 2 are of seal 1, 3 and 4 of seal 3 ..."""
    return {
        "number": number,
        "purged_at": START + timedelta(days=number),
        "purged_by": "retention",
        "policy": "{}",
        "seal_number": (number - 1) // 2 * 2 + 1,
        "entry_count": number,
        "gone": number.to_bytes(7),
        "archive_sha256": None if number % 2 else (number + 7).to_bytes(32),
        "previous_sha256": bytes(32) if number == 1 else number.to_bytes(32),
        "sha256": (number + 1).to_bytes(32),
    }


def hold_id(n: int) -> UUID:
    """The id of hold ``n``."""
    return row_id(26, n)


def n_holds(factor: int) -> int:
    """How many holds there are."""
    return 60 * factor


def hold(n: int) -> dict[str, object]:
    """Hold ``n``; a third is released."""
    return {
        "id": hold_id(n),
        "actor_id": user_id(n) if n % 2 else None,
        "target_type": "template" if n % 4 else None,
        "target_id": template_id(n) if n % 8 else None,
        "reason": f"Case {n}",
        "placed_at": START + timedelta(minutes=n),
        "released_at": START + timedelta(days=n) if n % 3 == 0 else None,
    }


TABLES: Final[Tables] = {
    "audit_logs": _audit_logs,
    "audit_seals": lambda factor: (seal(n) for n in range(1, n_seals(factor) + 1)),
    "audit_seal_entries": lambda factor: (
        sealed_entry(n, factor) for n in range(n_seals(factor) * SEALED)
    ),
    "audit_checkpoints": lambda factor: (
        checkpoint(n) for n in range(1, n_checkpoints(factor) + 1)
    ),
    "audit_holds": lambda factor: (hold(n) for n in range(n_holds(factor))),
}
