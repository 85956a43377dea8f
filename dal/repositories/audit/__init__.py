"""Reading the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from dal.errors import ValueRejectedError
from dal.gateways import AuditLogsGateway
from dal.records.audit import AuditEntry
from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID, check_id
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.repositories.base import Repository, part
from dal.session import Scope

__all__ = ["AuditLogRepository"]

_FIRST: Key = (END_OF_TIME, MAX_ID)
_TARGET_TYPES = ("user", "template")


def _key(entry: AuditEntry) -> Key:
    return (entry.occurred_at, entry.id)


@part("audit")
class AuditLogRepository(Repository):
    """Who changed what, and when. Entries are written by the other repositories alone."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._logs = AuditLogsGateway(scope)

    async def list_mine(self, *, limit: int = 50, after: str | None = None) -> Page[AuditEntry]:
        """What the actor did, newest first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._user("only a user has entries of their own")
        at, last = cast(tuple[datetime, UUID], decode_cursor("audit.list_mine", after, _FIRST))
        rows = await self._logs.list_by_actor(
            actor_id=actor_id, before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of("audit.list_mine", rows, limit, _key)

    async def list_of_target(
        self, target_type: str, target_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[AuditEntry]:
        """What happened to one user or template, newest first, for the system.

        Args:
            target_type: ``user`` or ``template``.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``target_type``, ``target_id``, ``limit`` or ``after``.
        """
        self._only_system("only the system reads everybody's entries")
        if target_type not in _TARGET_TYPES:
            raise ValueRejectedError(
                f"target_type: one of {', '.join(_TARGET_TYPES)}", field="target_type"
            )
        name = f"audit.list_of_target:{target_type}:{check_id('target_id', target_id)}"
        at, last = cast(tuple[datetime, UUID], decode_cursor(name, after, _FIRST))
        rows = await self._logs.list_by_target(
            target_type=target_type,
            target_id=target_id,
            before_at=at,
            before_id=last,
            limit_rows=check_limit(limit) + 1,
        )
        return page_of(name, rows, limit, _key)
