"""The audit writer: one entry for a change, in the transaction of the change."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import attrs

from dal.gateways.audit_logs import AuditLogsGateway
from dal.records.audit import AuditCategory, AuditSeverity, Outcome
from dal.records.audit_actions import classified
from dal.records.ids import new_id
from dal.session import Scope

__all__ = ["REDACTED", "AuditWriter", "canonical", "changes_between", "redact"]

REDACTED: Final = "[redacted]"
"""What stands in place of a secret."""

_SECRET = re.compile(
    r"pass(wd|phrase|code)?$|passwo?r?d|secret|token|credential|authori[sz]ation|cookie|bearer"
    r"|(^|_)(pwd|hash|pin|otp|key|salt|signature|jwt|dsn)$|api_?key|private_?key|access_?key",
    re.IGNORECASE,
)
_PROMPTS: Final = frozenset({"content", "system_prompt"})
_MAX_TEXT_CHARS: Final = 500
_MAX_DEPTH: Final = 32


def _key_text(key: object) -> str:
    text = key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
    return text.encode("utf-8", "replace").decode()


def _is_secret(key: str) -> bool:
    # camelCase and kebab-case are read as snake_case, so that userPin and user-pin are found; and
    # without what divides them, so that PassWord and pass_word are.
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]", "_", key)
    return any(_SECRET.search(name) for name in (snake, snake.replace("_", "")))


def _digest(text: str) -> dict[str, object]:
    data = text.encode("utf-8", "surrogatepass")
    return {"chars": len(text), "sha256": sha256(data).hexdigest()}


def redact(value: object, *, depth: int = 0) -> object:
    """``value`` as JSON can hold it, without secrets, at any depth.

    A value under a key that names a secret is replaced; a long text is given by its length and
    SHA-256; bytes are hexadecimal; a set is a sorted list; a record is a mapping of its fields; of
    any other object nothing but its type is told, since its text may hold anything.
    """
    if depth > _MAX_DEPTH:
        return "[too deep]"
    if isinstance(value, Enum):
        return redact(value.value, depth=depth)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        well_formed = value.encode("utf-8", "replace").decode()
        return well_formed if len(value) <= _MAX_TEXT_CHARS else _digest(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (UUID, Decimal, timedelta)):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return redact(bytes(value).hex(), depth=depth)
    if attrs.has(type(value)):
        record: type[Any] = type(value)
        value = {field.name: getattr(value, field.name) for field in attrs.fields(record)}
    if isinstance(value, Mapping):
        return {
            key: REDACTED if _is_secret(key) else redact(item, depth=depth + 1)
            for key, item in ((_key_text(key), item) for key, item in value.items())
        }
    if isinstance(value, (set, frozenset)):
        return sorted((redact(item, depth=depth + 1) for item in value), key=str)
    if isinstance(value, (list, tuple)):
        return [redact(item, depth=depth + 1) for item in value]
    return f"[{type(value).__name__}]"


def canonical(value: object) -> str:
    """The one JSON text of a value: keys sorted, no spaces, nothing that is not JSON."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


def changes_between(
    before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> dict[str, object]:
    """``{field: {"from": ..., "to": ...}}`` of the fields that differ; prompts by digest."""
    before, after = before or {}, after or {}
    changes: dict[str, object] = {}
    for field in sorted(before.keys() | after.keys()):
        old, new = before.get(field), after.get(field)
        if old == new:
            continue
        if field in _PROMPTS:
            old = _digest(old) if isinstance(old, str) else old
            new = _digest(new) if isinstance(new, str) else new
        changes[field] = {"from": old, "to": new}
    return changes


@attrs.frozen(slots=True)
class AuditWriter:
    """Writes entries as the scope's actor, on the scope's transaction."""

    scope: Scope

    async def write(
        self,
        action: str,
        target_type: str,
        target_id: UUID | None,
        *,
        changes: Mapping[str, object] | None = None,
        affected: int = 1,
        outcome: Outcome = Outcome.SUCCESS,
        at: datetime | None = None,
        classes: tuple[AuditCategory, AuditSeverity] | None = None,
    ) -> None:
        """Write one entry.

        Args:
            action: a dotted verb: ``template.create``.
            target_id: None for a change of many.
            changes: field -> from and to; redacted here, whatever it holds.
            affected: how many targets were changed.
            at: the time of the change itself, if it is known.
            classes: of an action that is the application's own; else they follow from the action.

        Raises:
            UsageError: an action that is not known, without ``classes``.
        """
        category, severity = classes or classified(action, outcome)
        now = at or self.scope.clock.now()
        actor = self.scope.actor
        await AuditLogsGateway(self.scope).insert(
            audit_id=new_id(now),
            occurred_at=now,
            actor_type=actor.type,
            actor_id=actor.id,
            actor_name=actor.name,
            action=action,
            target_type=target_type,
            target_id=target_id,
            outcome=outcome,
            affected=affected,
            changes=canonical(redact(changes or {})),
            request_id=actor.request_id,
            ip=actor.ip,
            user_agent=actor.user_agent,
            audit_category=category,
            severity=severity,
        )
