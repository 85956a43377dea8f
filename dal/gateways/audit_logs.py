"""The table audit_logs. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import attrs

from dal.records.audit import (
    AuditActorCount,
    AuditClassCount,
    AuditDayCount,
    AuditEntry,
    FailedLoginsOfIp,
    FailedLoginsOfUser,
)
from dal.records.audit_retention import OldAuditEntry
from dal.records.audit_seals import StoredAuditEntry, UnsealedEntry
from dal.session import Executor
from dal.statements import house

__all__ = ["AuditLogsGateway"]

_COUNT_BY_ACTOR = house().many("audit_logs/count_by_actor", AuditActorCount)
_COUNT_BY_CLASS = house().many("audit_logs/count_by_class", AuditClassCount)
_DELETE_MANY = house().affected("audit_logs/delete_many")
_INSERT = house().affected("audit_logs/insert")
_INSERT_MANY = house().bulk("audit_logs/insert_many")
_LIST_BY_ACTOR = house().many("audit_logs/list_by_actor", AuditEntry)
_LIST_BY_DAY = house().many("audit_logs/list_by_day", AuditDayCount)
_LIST_BY_IDS = house().many("audit_logs/list_by_ids", StoredAuditEntry)
_LIST_BY_TARGET = house().many("audit_logs/list_by_target", AuditEntry)
_LIST_FAILED_LOGINS_BY_IP = house().many("audit_logs/list_failed_logins_by_ip", FailedLoginsOfIp)
_LIST_FAILED_LOGINS_BY_USER = house().many(
    "audit_logs/list_failed_logins_by_user", FailedLoginsOfUser
)
_LIST_HISTORY = house().many("audit_logs/list_history", AuditEntry)
_LIST_IDS = house().many("audit_logs/list_ids", UUID)
_LIST_OLD = house().many("audit_logs/list_old", OldAuditEntry)
_LIST_SECURITY = house().many("audit_logs/list_security", AuditEntry)
_LIST_SECURITY_BY_DAY = house().many("audit_logs/list_security_by_day", AuditDayCount)
_LIST_UNSEALED = house().many("audit_logs/list_unsealed", StoredAuditEntry)
_LIST_UNSEALED_BETWEEN = house().many("audit_logs/list_unsealed_between", UnsealedEntry)


@attrs.frozen(slots=True)
class AuditLogsGateway:
    """A method per file of ``sql/audit_logs/``."""

    executor: Executor

    async def count_by_actor(
        self, *, from_at: datetime, until_at: datetime, limit_rows: int
    ) -> list[AuditActorCount]:
        """Count the entries of a time by actor, most entries first."""
        return await self.executor.many(
            _COUNT_BY_ACTOR, from_at=from_at, until_at=until_at, limit_rows=limit_rows
        )

    async def count_by_class(
        self, *, from_at: datetime, until_at: datetime, limit_rows: int
    ) -> list[AuditClassCount]:
        """Count the entries of a time by category, severity and outcome."""
        return await self.executor.many(
            _COUNT_BY_CLASS, from_at=from_at, until_at=until_at, limit_rows=limit_rows
        )

    async def delete_many(self, *, audit_ids: Sequence[UUID]) -> int:
        """Remove entries for good, once a checkpoint says so, for retention."""
        return await self.executor.affected(_DELETE_MANY, audit_ids=audit_ids)

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
        audit_category: str,
        severity: str,
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
            audit_category=audit_category,
            severity=severity,
        )

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Write audit entries that happened elsewhere."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

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

    async def list_by_day(
        self, *, from_at: datetime, until_at: datetime, utc_offset_s: int, limit_rows: int
    ) -> list[AuditDayCount]:
        """Count the entries by local day."""
        return await self.executor.many(
            _LIST_BY_DAY,
            from_at=from_at,
            until_at=until_at,
            utc_offset_s=utc_offset_s,
            limit_rows=limit_rows,
        )

    async def list_by_ids(
        self, *, audit_ids: Sequence[UUID], limit_rows: int
    ) -> list[StoredAuditEntry]:
        """List entries as they are stored, in the order of their ids."""
        return await self.executor.many(_LIST_BY_IDS, audit_ids=audit_ids, limit_rows=limit_rows)

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

    async def list_failed_logins_by_ip(
        self, *, from_at: datetime, until_at: datetime, least_failures: int, limit_rows: int
    ) -> list[FailedLoginsOfIp]:
        """Count the failed log-ins of a time by address, most failures first."""
        return await self.executor.many(
            _LIST_FAILED_LOGINS_BY_IP,
            from_at=from_at,
            until_at=until_at,
            least_failures=least_failures,
            limit_rows=limit_rows,
        )

    async def list_failed_logins_by_user(
        self, *, from_at: datetime, until_at: datetime, least_failures: int, limit_rows: int
    ) -> list[FailedLoginsOfUser]:
        """Count the failed log-ins of a time by user, most failures first."""
        return await self.executor.many(
            _LIST_FAILED_LOGINS_BY_USER,
            from_at=from_at,
            until_at=until_at,
            least_failures=least_failures,
            limit_rows=limit_rows,
        )

    async def list_history(
        self,
        *,
        target_type: str,
        target_id: UUID,
        after_at: datetime,
        after_id: UUID,
        until_at: datetime,
        limit_rows: int,
    ) -> list[AuditEntry]:
        """Page through the entries about one target before a time, oldest first, for the system."""
        return await self.executor.many(
            _LIST_HISTORY,
            target_type=target_type,
            target_id=target_id,
            after_at=after_at,
            after_id=after_id,
            until_at=until_at,
            limit_rows=limit_rows,
        )

    async def list_ids(self, *, audit_ids: Sequence[UUID], limit_rows: int) -> list[UUID]:
        """List which of some ids are those of entries."""
        return await self.executor.many(_LIST_IDS, audit_ids=audit_ids, limit_rows=limit_rows)

    async def list_old(
        self, *, until_at: datetime, after_at: datetime, after_id: UUID, limit_rows: int
    ) -> list[OldAuditEntry]:
        """Page through the entries before a time, oldest first, for retention."""
        return await self.executor.many(
            _LIST_OLD,
            until_at=until_at,
            after_at=after_at,
            after_id=after_id,
            limit_rows=limit_rows,
        )

    async def list_security(
        self, *, before_at: datetime, before_id: UUID, limit_rows: int
    ) -> list[AuditEntry]:
        """Page through log-ins, refused attempts and what is of high severity, newest first."""
        return await self.executor.many(
            _LIST_SECURITY, before_at=before_at, before_id=before_id, limit_rows=limit_rows
        )

    async def list_security_by_day(
        self, *, from_at: datetime, until_at: datetime, utc_offset_s: int, limit_rows: int
    ) -> list[AuditDayCount]:
        """Count what the security log lists by local day."""
        return await self.executor.many(
            _LIST_SECURITY_BY_DAY,
            from_at=from_at,
            until_at=until_at,
            utc_offset_s=utc_offset_s,
            limit_rows=limit_rows,
        )

    async def list_unsealed(
        self, *, since: datetime, after_at: datetime, after_id: UUID, limit_rows: int
    ) -> list[StoredAuditEntry]:
        """Page through the entries from a time on that have no seal, oldest first."""
        return await self.executor.many(
            _LIST_UNSEALED, since=since, after_at=after_at, after_id=after_id, limit_rows=limit_rows
        )

    async def list_unsealed_between(
        self,
        *,
        after_at: datetime,
        after_id: UUID,
        window_at: datetime,
        window_id: UUID,
        limit_rows: int,
    ) -> list[UnsealedEntry]:
        """Page through the entries of a stretch that have no seal, oldest first."""
        return await self.executor.many(
            _LIST_UNSEALED_BETWEEN,
            after_at=after_at,
            after_id=after_id,
            window_at=window_at,
            window_id=window_id,
            limit_rows=limit_rows,
        )
