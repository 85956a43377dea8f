"""The table audit_seal_entries. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from dal.records.audit_seals import SealedEntry
from dal.session import Executor
from dal.statements import house

__all__ = ["AuditSealEntriesGateway"]

_DELETE_BY_SEAL = house().affected("audit_seal_entries/delete_by_seal")
_INSERT_MANY = house().bulk("audit_seal_entries/insert_many")
_LIST_BY_SEALS = house().many("audit_seal_entries/list_by_seals", SealedEntry)


@attrs.frozen(slots=True)
class AuditSealEntriesGateway:
    """A method per file of ``sql/audit_seal_entries/``."""

    executor: Executor

    async def delete_by_seal(self, *, seal_number: int) -> int:
        """Forget the entries of a seal of which none is left, for retention; the seal stays."""
        return await self.executor.affected(_DELETE_BY_SEAL, seal_number=seal_number)

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Say which entries a seal has; an entry has one seal."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_seals(
        self, *, first_seal: int, last_seal: int, limit_rows: int
    ) -> list[SealedEntry]:
        """List the entries of some seals that follow each other, by seal and id."""
        return await self.executor.many(
            _LIST_BY_SEALS, first_seal=first_seal, last_seal=last_seal, limit_rows=limit_rows
        )
