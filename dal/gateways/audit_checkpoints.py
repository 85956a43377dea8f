"""The table audit_checkpoints. Written from the .sql files: edit those."""

from __future__ import annotations

from datetime import datetime

import attrs

from dal.records.audit_seals import AuditCheckpoint
from dal.session import Executor
from dal.statements import house

__all__ = ["AuditCheckpointsGateway"]

_FIND_LAST = house().find("audit_checkpoints/find_last", AuditCheckpoint)
_INSERT = house().affected("audit_checkpoints/insert")
_LIST_BY_SEALS = house().many("audit_checkpoints/list_by_seals", AuditCheckpoint)
_LIST_FROM = house().many("audit_checkpoints/list_from", AuditCheckpoint)


@attrs.frozen(slots=True)
class AuditCheckpointsGateway:
    """A method per file of ``sql/audit_checkpoints/``."""

    executor: Executor

    async def find_last(self) -> AuditCheckpoint | None:
        """Find the newest checkpoint."""
        return await self.executor.find(_FIND_LAST)

    async def insert(
        self,
        *,
        checkpoint_number: int,
        now: datetime,
        purged_by: str,
        policy: str,
        seal_number: int,
        entry_count: int,
        gone: bytes,
        archive_sha256: bytes | None,
        previous_sha256: bytes,
        sha256: bytes,
    ) -> int:
        """Write what was removed; its number is the key, so of two purges one is refused."""
        return await self.executor.affected(
            _INSERT,
            checkpoint_number=checkpoint_number,
            now=now,
            purged_by=purged_by,
            policy=policy,
            seal_number=seal_number,
            entry_count=entry_count,
            gone=gone,
            archive_sha256=archive_sha256,
            previous_sha256=previous_sha256,
            sha256=sha256,
        )

    async def list_by_seals(
        self, *, first_seal: int, last_seal: int, limit_rows: int
    ) -> list[AuditCheckpoint]:
        """List the checkpoints of some seals that follow each other, in their order."""
        return await self.executor.many(
            _LIST_BY_SEALS, first_seal=first_seal, last_seal=last_seal, limit_rows=limit_rows
        )

    async def list_from(self, *, first_checkpoint: int, limit_rows: int) -> list[AuditCheckpoint]:
        """Page through the checkpoints from a number on, in their order."""
        return await self.executor.many(
            _LIST_FROM, first_checkpoint=first_checkpoint, limit_rows=limit_rows
        )
