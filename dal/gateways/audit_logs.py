"""The table audit_logs. Written from the .sql files: edit those."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import attrs

from dal.records.audit import AuditEntry
from dal.session import Executor
from dal.statements import house

__all__ = ["AuditLogsGateway"]

_INSERT = house().affected("audit_logs/insert")
_LIST_BY_ACTOR = house().many("audit_logs/list_by_actor", AuditEntry)
_LIST_BY_TARGET = house().many("audit_logs/list_by_target", AuditEntry)


@attrs.frozen(slots=True)
class AuditLogsGateway:
    """A method per file of ``sql/audit_logs/``."""

    executor: Executor

    async def insert(
        self,
        *,
        audit_id: UUID,
        occurred_at: datetime,
        actor_type: str,
        actor_id: UUID | None,
        actor_name: str | None,
        action: str,
        target_type: str,
        target_id: UUID | None,
        outcome: str,
        affected: int,
        changes: str,
        request_id: str | None,
        ip: str | None,
        user_agent: str | None,
    ) -> int:
        """Write an audit entry."""
        return await self.executor.affected(
            _INSERT,
            audit_id=audit_id,
            occurred_at=occurred_at,
            actor_type=actor_type,
            actor_id=actor_id,
            actor_name=actor_name,
            action=action,
            target_type=target_type,
            target_id=target_id,
            outcome=outcome,
            affected=affected,
            changes=changes,
            request_id=request_id,
            ip=ip,
            user_agent=user_agent,
        )

    async def list_by_actor(
        self, *, actor_id: UUID, before_at: datetime, before_id: UUID, limit_rows: int
    ) -> list[AuditEntry]:
        """Page through the actor's own entries, newest first."""
        return await self.executor.many(
            _LIST_BY_ACTOR,
            actor_id=actor_id,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def list_by_target(
        self,
        *,
        target_type: str,
        target_id: UUID,
        before_at: datetime,
        before_id: UUID,
        limit_rows: int,
    ) -> list[AuditEntry]:
        """Page through the entries about one target, newest first, for the system."""
        return await self.executor.many(
            _LIST_BY_TARGET,
            target_type=target_type,
            target_id=target_id,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )
