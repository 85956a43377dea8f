"""Audit entries that were written elsewhere: lines of an export, of an archive, of another log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.actor import ActorType
from dal.records.audit import AuditCategory, AuditEntry, AuditSeverity, Outcome
from dal.records.choice import choice
from dal.records.clock import check_time
from dal.records.text import free_text, optional_text

__all__ = ["ImportedAuditEntry"]

_ACTION: Final = re.compile(r"[A-Za-z][\w-]{0,31}\.[\w-]+", re.ASCII)
_TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MAX_AFFECTED: Final = 2**32 - 1


def _id(field: str, value: object) -> UUID | None:
    if value is None:
        return None
    try:
        return value if isinstance(value, UUID) else UUID(free_text(field, value, max_chars=36))
    except ValueError:
        raise ValueRejectedError(f"{field}: a UUID", field=field) from None


def _time(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        at = None
    return check_time("occurred_at", at)


@attrs.frozen(slots=True, kw_only=True)
class ImportedAuditEntry:
    """An entry that happened elsewhere; made by :meth:`from_mapping`."""

    id: UUID | None
    occurred_at: datetime
    actor_type: ActorType
    actor_id: UUID | None
    actor_name: str | None
    action: str
    target_type: str
    target_id: UUID | None
    outcome: Outcome
    affected: int
    changes: Mapping[str, Any]
    request_id: str | None
    ip: str | None
    user_agent: str | None
    category: AuditCategory
    severity: AuditSeverity

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> ImportedAuditEntry:
        """An entry as a line of an export has it; ``id`` may be missing, and what may be None.

        Raises:
            ValueRejectedError: a value is not what it should be, or of no field; ``field`` names
                it, the value is not repeated.
        """
        if not isinstance(values, Mapping):
            raise ValueRejectedError("entry: an object", field="entry")
        known = {field.name for field in attrs.fields(AuditEntry)}
        for name in sorted(map(str, values.keys() - known)):
            raise ValueRejectedError(f"{name[:40]}: no field of an entry", field=name[:40])
        action = free_text("action", values.get("action"), max_chars=64)
        if _ACTION.fullmatch(action) is None:
            raise ValueRejectedError("action: a dotted verb", field="action")
        target_type = free_text("target_type", values.get("target_type"), max_chars=32)
        if _TYPE.fullmatch(target_type) is None:
            raise ValueRejectedError("target_type: a name such as template", field="target_type")
        changes = values.get("changes", {})
        if not isinstance(changes, Mapping):
            raise ValueRejectedError("changes: an object", field="changes")
        affected = values.get("affected", 1)
        is_count = isinstance(affected, int) and not isinstance(affected, bool)
        if not is_count or not 0 <= affected <= _MAX_AFFECTED:
            raise ValueRejectedError(f"affected: 0 to {_MAX_AFFECTED}", field="affected")
        return cls(
            id=_id("id", values.get("id")),
            occurred_at=_time(values.get("occurred_at")),
            actor_type=choice("actor_type", ActorType, values.get("actor_type")),
            actor_id=_id("actor_id", values.get("actor_id")),
            actor_name=optional_text("actor_name", values.get("actor_name"), max_chars=100),
            action=action,
            target_type=target_type,
            target_id=_id("target_id", values.get("target_id")),
            outcome=choice("outcome", Outcome, values.get("outcome", "success")),
            affected=affected,
            changes=changes,
            request_id=optional_text("request_id", values.get("request_id"), max_chars=64),
            ip=optional_text("ip", values.get("ip"), max_chars=45),
            user_agent=optional_text("user_agent", values.get("user_agent"), max_chars=255),
            category=choice("category", AuditCategory, values.get("category", "application")),
            severity=choice("severity", AuditSeverity, values.get("severity", "low")),
        )
