"""The table audit_seals. Written from the .sql files: edit those."""

from __future__ import annotations

from datetime import datetime

import attrs

from dal.records.audit_seals import AuditSeal
from dal.session import Executor
from dal.statements import house

__all__ = ["AuditSealsGateway"]

_FIND_LAST = house().find("audit_seals/find_last", AuditSeal)
_INSERT = house().affected("audit_seals/insert")
_LIST_FROM = house().many("audit_seals/list_from", AuditSeal)


@attrs.frozen(slots=True)
class AuditSealsGateway:
    """A method per file of ``sql/audit_seals/``."""

    executor: Executor

    async def find_last(self) -> AuditSeal | None:
        """Find the newest seal."""
        return await self.executor.find(_FIND_LAST)

    async def insert(
        self,
        *,
        seal_number: int,
        now: datetime,
        since: datetime,
        entry_count: int,
        first_at: datetime,
        last_at: datetime,
        previous_sha256: bytes,
        sha256: bytes,
    ) -> int:
        """Write the next seal; its number is the key, so of two sealers one is refused."""
        return await self.executor.affected(
            _INSERT,
            seal_number=seal_number,
            now=now,
            since=since,
            entry_count=entry_count,
            first_at=first_at,
            last_at=last_at,
            previous_sha256=previous_sha256,
            sha256=sha256,
        )

    async def list_from(self, *, first_seal: int, limit_rows: int) -> list[AuditSeal]:
        """Page through the seals from a number on, in their order."""
        return await self.executor.many(_LIST_FROM, first_seal=first_seal, limit_rows=limit_rows)
