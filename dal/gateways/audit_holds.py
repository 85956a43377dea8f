"""The table audit_holds. Written from the .sql files: edit those."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import attrs

from dal.records.audit_retention import AuditHold
from dal.session import Executor
from dal.statements import house

__all__ = ["AuditHoldsGateway"]

_INSERT = house().affected("audit_holds/insert")
_LIST_HELD = house().many("audit_holds/list_held", AuditHold)
_RELEASE = house().affected("audit_holds/release")


@attrs.frozen(slots=True)
class AuditHoldsGateway:
    """A method per file of ``sql/audit_holds/``."""

    executor: Executor

    async def insert(
        self,
        *,
        hold_id: UUID,
        held_actor_id: UUID | None,
        held_type: str | None,
        held_id: UUID | None,
        reason: str,
        now: datetime,
    ) -> int:
        """Keep entries from being removed: of an actor, about something, or all."""
        return await self.executor.affected(
            _INSERT,
            hold_id=hold_id,
            held_actor_id=held_actor_id,
            held_type=held_type,
            held_id=held_id,
            reason=reason,
            now=now,
        )

    async def list_held(self, *, before_id: UUID, limit_rows: int) -> list[AuditHold]:
        """Page through the holds that were not released, newest first."""
        return await self.executor.many(_LIST_HELD, before_id=before_id, limit_rows=limit_rows)

    async def release(self, *, hold_id: UUID, now: datetime) -> int:
        """Let go what a hold keeps."""
        return await self.executor.affected(_RELEASE, hold_id=hold_id, now=now)
