"""Taking in entries that were written elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from dal.errors import ValueRejectedError
from dal.records.ids import check_id, new_id
from dal.records.imported_audit import ImportedAuditEntry
from dal.repositories.audit.rules import TARGET, AuditRules
from dal.repositories.audit_writer import canonical, redact
from dal.repositories.base import changing, part

__all__ = ["AuditImports"]

_IDS_AT_ONCE: Final = 1_000


@part("audit.imports")
class AuditImports(AuditRules):
    """Entries from elsewhere: ``me.audit.imports``, for the system."""

    @changing
    async def create_many(self, entries: Iterable[ImportedAuditEntry]) -> int:
        """Take in entries, all of them or none; how many. Secrets in their changes are redacted.

        They are told from what happened here by the entry that says so. What is older than a day
        is sealed by ``seals.seal(since=...)``.

        Raises:
            PermissionDeniedError: the actor is not the system; the attempt is in the audit log.
            UniqueError: an id is taken.
            ValueRejectedError: ``entries`` holds something else.
        """
        news = list(entries) if isinstance(entries, Iterable) else [entries]
        if not all(isinstance(new, ImportedAuditEntry) for new in news):
            raise ValueRejectedError("entries: a list of ImportedAuditEntry", field="entries")
        action = "audit.import"
        self._only_system_changes(action, TARGET, None, "only the system takes entries in")
        if not news:
            return 0
        now = self._scope.clock.now()
        await self._logs.insert_many(
            {
                "audit_id": new.id or new_id(new.occurred_at),
                "occurred_at": new.occurred_at,
                "actor_type": new.actor_type,
                "actor_id": new.actor_id,
                "actor_name": new.actor_name,
                "action": new.action,
                "target_type": new.target_type,
                "target_id": new.target_id,
                "outcome": new.outcome,
                "affected": new.affected,
                "changes": canonical(redact(new.changes)),
                "request_id": new.request_id,
                "ip": new.ip,
                "user_agent": new.user_agent,
                "audit_category": new.category,
                "severity": new.severity,
            }
            for new in news
        )
        ends = [new.occurred_at for new in news]
        changes = {
            "first_at": {"from": None, "to": min(ends)},
            "last_at": {"from": None, "to": max(ends)},
        }
        await self._audit.write(action, TARGET, None, changes=changes, affected=len(news), at=now)
        return len(news)

    async def list_taken_ids(self, audit_ids: Iterable[UUID]) -> set[UUID]:
        """Which of these ids are those of entries already.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: one of ``audit_ids`` is no UUID.
        """
        self._only_system_reads()
        if not isinstance(audit_ids, Iterable):
            raise ValueRejectedError("audit_ids: a list of UUIDs", field="audit_ids")
        ids = [check_id("audit_ids", audit_id) for audit_id in audit_ids]
        taken: set[UUID] = set()
        for begin in range(0, len(ids), _IDS_AT_ONCE):
            wanted = ids[begin : begin + _IDS_AT_ONCE]
            taken.update(await self._logs.list_ids(audit_ids=wanted, limit_rows=_IDS_AT_ONCE))
        return taken
