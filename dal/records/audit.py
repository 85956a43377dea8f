"""Audit entries: who did what, and when; and what is asked of them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs

from dal.records.actor import ActorType

__all__ = [
    "AuditActorCount",
    "AuditCategory",
    "AuditClassCount",
    "AuditDayCount",
    "AuditEntry",
    "AuditKey",
    "AuditSeverity",
    "AuditStatistics",
    "EntityState",
    "FailedLoginsOfIp",
    "FailedLoginsOfUser",
    "Outcome",
]


class Outcome(StrEnum):
    """How an attempt ended."""

    SUCCESS = "success"
    DENIED = "denied"
    FAILURE = "failure"


class AuditCategory(StrEnum):
    """What kind of action it was.

    ``authentication``: who somebody is. ``access``: who may do what, and whose something is.
    ``data``: what is in it. ``disclosure``: what left the system. ``maintenance``: jobs.
    ``application``: what the application said itself.
    """

    AUTHENTICATION = "authentication"
    ACCESS = "access"
    DATA = "data"
    DISCLOSURE = "disclosure"
    MAINTENANCE = "maintenance"
    APPLICATION = "application"


class AuditSeverity(StrEnum):
    """How much it matters; from the least on."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def and_above(self) -> tuple[AuditSeverity, ...]:
        """This one and those that matter more."""
        ranks = tuple(AuditSeverity)
        return ranks[ranks.index(self) :]


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
    category: AuditCategory
    severity: AuditSeverity

    @property
    def summary(self) -> str:
        """Which fields changed, in a line: ``template.update_details: category, name``."""
        fields = ", ".join(sorted(self.changes))
        return f"{self.action}: {fields}" if fields else self.action


@attrs.frozen(slots=True)
class AuditKey:
    """Where an entry stands in the order of time; a time is there, although a server that computes
    it cannot know.
    """

    occurred_at: datetime | None
    id: UUID


@attrs.frozen(slots=True)
class AuditClassCount:
    """How many entries of a kind there are."""

    category: AuditCategory
    severity: AuditSeverity
    outcome: Outcome
    entries: int


@attrs.frozen(slots=True)
class AuditActorCount:
    """How many entries an actor has."""

    actor_type: ActorType
    actor_id: UUID | None
    actor_name: str | None
    entries: int


@attrs.frozen(slots=True)
class AuditDayCount:
    """How many entries a local day has."""

    day: date
    entries: int


@attrs.frozen(slots=True)
class FailedLoginsOfUser:
    """The failed log-ins of a user within a time; ``user_id`` is None for addresses that nobody
    has.
    """

    user_id: UUID | None
    failures: int
    first_at: datetime
    last_at: datetime


@attrs.frozen(slots=True)
class FailedLoginsOfIp:
    """The failed log-ins from an address within a time; ``ip`` is None where none was told."""

    ip: str | None
    failures: int
    first_at: datetime
    last_at: datetime


@attrs.frozen(slots=True, kw_only=True)
class AuditStatistics:
    """Entries of some days: all, by category, severity and outcome, and of the busiest actors."""

    total: int
    security: int
    by_category: dict[AuditCategory, int]
    by_severity: dict[AuditSeverity, int]
    by_outcome: dict[Outcome, int]
    actors: tuple[AuditActorCount, ...]


@attrs.frozen(slots=True, kw_only=True)
class EntityState:
    """What the log says that an entity was like at a time.

    ``fields`` are the values last written by then: texts as length and SHA-256, secrets as
    ``[redacted]``. ``is_whole``: the entry of its creation is there, so no field is missing that
    was written since. ``is_deleted``: it lay in the trash, or was gone for good.
    """

    target_type: str
    target_id: UUID
    at: datetime
    fields: dict[str, Any]
    entries: int
    is_whole: bool
    is_deleted: bool
