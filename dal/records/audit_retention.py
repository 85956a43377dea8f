"""How long audit entries are kept, and what is never removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.audit import AuditCategory, AuditSeverity
from dal.records.audit_seals import AuditBreak
from dal.records.clock import START_OF_TIME

__all__ = ["AuditHold", "OldAuditEntry", "Retention", "RetentionPolicy"]

_MAX_DAYS: Final = 36_500

E = TypeVar("E", bound=StrEnum)


@attrs.frozen(slots=True)
class AuditHold:
    """Entries that are not removed while it stands: of an actor, about a target, both, or all."""

    id: UUID
    actor_id: UUID | None
    target_type: str | None
    target_id: UUID | None
    reason: str
    placed_at: datetime

    def holds(self, entry: OldAuditEntry) -> bool:
        """Whether this keeps the entry."""
        return (
            self.actor_id in (None, entry.actor_id)
            and self.target_type in (None, entry.target_type)
            and self.target_id in (None, entry.target_id)
        )


@attrs.frozen(slots=True)
class OldAuditEntry:
    """What retention decides by."""

    id: UUID
    occurred_at: datetime
    category: AuditCategory
    severity: AuditSeverity
    actor_id: UUID | None
    target_type: str
    target_id: UUID | None
    seal_number: int | None


@attrs.frozen(slots=True, kw_only=True)
class Retention:
    """What a run of retention did.

    ``held``: would have been removed, but for a hold. ``unsealed``: but has no seal yet. ``lag``:
    how long the oldest entry that is left, and not held, should have been gone. ``is_overtaken``:
    another run was at work, and goes on. ``broken``: an entry is not as it was sealed; there the
    run ended.
    """

    purged: int
    checkpoints: int
    held: int
    unsealed: int
    lag: timedelta
    is_overtaken: bool
    broken: AuditBreak | None


def _days(field: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_DAYS:
        raise ValueRejectedError(
            f"{field}: a number of days, 1 to {_MAX_DAYS}, or null for ever", field="policy"
        )
    return value


def _rules(field: str, kind: type[E], value: object) -> dict[E, int | None]:
    if not isinstance(value, Mapping):
        raise ValueRejectedError(f"{field}: an object of names and days", field="policy")
    rules: dict[E, int | None] = {}
    for name, days in value.items():
        try:
            rules[kind(name)] = _days(f"{field}.{name}", days)
        except ValueError:
            names = ", ".join(kind)
            raise ValueRejectedError(f"{field}: names are {names}", field="policy") from None
    return rules


@attrs.frozen(slots=True)
class RetentionPolicy:
    """For how many days an entry is kept: by default, by its category and by its severity; the
    longest of what applies. None is for ever.
    """

    default: int | None = 365
    category: Mapping[AuditCategory, int | None] = attrs.field(factory=dict)
    severity: Mapping[AuditSeverity, int | None] = attrs.field(
        factory=lambda: {AuditSeverity.HIGH: 1_095, AuditSeverity.CRITICAL: 2_555}
    )

    @classmethod
    def of(cls, values: object) -> RetentionPolicy:
        """A policy as JSON has it::

            {"default": 365, "category": {"authentication": 730}, "severity": {"critical": null}}

        What is left out: 365 days, and no rules.

        Raises:
            ValueRejectedError: something else; the field is ``policy``.
        """
        if not isinstance(values, Mapping) or values.keys() - {"default", "category", "severity"}:
            raise ValueRejectedError(
                "policy: an object with default, category and severity", field="policy"
            )
        return cls(
            default=_days("default", values.get("default", 365)),
            category=_rules("category", AuditCategory, values.get("category", {})),
            severity=_rules("severity", AuditSeverity, values.get("severity", {})),
        )

    @property
    def text(self) -> str:
        """The policy as canonical JSON."""
        values: dict[str, Any] = {
            "default": self.default,
            "category": dict(self.category),
            "severity": dict(self.severity),
        }
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    def cutoff(
        self, now: datetime, category: AuditCategory, severity: AuditSeverity
    ) -> datetime | None:
        """Entries of a kind from before this time are removed; None: they are kept for ever."""
        said = [
            self.default,
            *(days for kind, days in self.category.items() if kind is category),
            *(days for kind, days in self.severity.items() if kind is severity),
        ]
        days = [one for one in said if one is not None]
        if len(days) < len(said):
            return None
        return max(now - timedelta(days=max(days)), START_OF_TIME)

    def latest_cutoff(self, now: datetime) -> datetime | None:
        """No entry from this time on is removed; None: none at all is."""
        cutoffs = [
            cutoff
            for category in AuditCategory
            for severity in AuditSeverity
            if (cutoff := self.cutoff(now, category, severity)) is not None
        ]
        return max(cutoffs, default=None)
