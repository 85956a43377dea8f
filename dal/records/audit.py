"""Audit entries: who changed what, and when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs

from dal.records.actor import ActorType

__all__ = ["AuditEntry", "Outcome"]


class Outcome(StrEnum):
    """How an attempt ended."""

    SUCCESS = "success"
    DENIED = "denied"
    FAILURE = "failure"


@attrs.frozen(slots=True)
class AuditEntry:
    """One entry. ``changes`` maps a field to ``{"from": ..., "to": ...}``; texts are given by
    length and SHA-256, secrets not at all. ``affected`` is the number of targets changed.
    """

    id: UUID
    occurred_at: datetime
    actor_type: ActorType
    actor_id: UUID | None
    actor_name: str | None
    action: str
    target_type: str
    target_id: UUID | None
    outcome: Outcome
    affected: int
    changes: dict[str, Any]
    request_id: str | None
    ip: str | None
    user_agent: str | None
