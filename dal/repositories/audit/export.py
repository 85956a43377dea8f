"""Export of the log: lines that are the same each time for the same question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, cast
from uuid import UUID

from dal.records.audit import AuditCategory, AuditEntry, AuditSeverity, Outcome
from dal.records.audit_export import (
    AuditFormat,
    AuditManifest,
    csv_header,
    csv_line,
    json_line,
)
from dal.records.clock import START_OF_TIME
from dal.repositories.audit.rules import TARGET, AuditRules
from dal.repositories.base import disclosing, part
from dal.search.audit import (
    OLDEST_KEY,
    WINDOW_ROWS,
    AuditSearch,
    audit_search,
    audit_window_end,
)

__all__ = ["AuditExports"]

_ROWS_AT_ONCE: Final = 1_000


@part("audit.export")
class AuditExports(AuditRules):
    """Taking the log out: ``me.audit.export``, for the system."""

    @disclosing
    async def write(
        self,
        write: Callable[[bytes], object],
        *,
        format: AuditFormat | str = AuditFormat.JSONL,  # noqa: A002 - as the command has it
        text: str | None = None,
        field: str | None = None,
        actions: Sequence[str] = (),
        category: AuditCategory | str | None = None,
        severity: AuditSeverity | str | None = None,
        outcome: Outcome | str | None = None,
        actor_id: UUID | None = None,
        target_type: str | None = None,
        target_id: UUID | None = None,
        request_id: str | None = None,
        ip: str | None = None,
        from_at: datetime = START_OF_TIME,
        until_at: datetime | None = None,
    ) -> AuditManifest:
        """Write entries, oldest first, a thousand at a time, in constant memory; what was written
        is told at the end. That it was done is an entry, which is there before the first line.

        The same question gives the same bytes, as long as ``until_at`` lies behind the last entry
        that was still being committed. Cancel it, or have ``write`` raise, to end it.

        Args:
            write: takes lines, as the ``write`` of a file opened in binary.
            format: ``jsonl``; or ``csv``, in which no cell is a formula.
            until_at: what happened later is left out; now, unless given.
            others: as :meth:`dal.AuditLogRepository.search` takes them.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: what is not understood; ``field`` names it.
            UsageError: within a transaction, which would have to be kept open for all of it.
        """
        chosen = AuditFormat.checked(format)
        self._only_system_reads()
        self._refuse_transaction("an export")
        until = self._scope.clock.now() if until_at is None else until_at
        search = AuditSearch.of(
            text=text,
            field=field,
            actions=actions,
            category=category,
            severity=severity,
            outcome=outcome,
            actor_id=actor_id,
            target_type=target_type,
            target_id=target_id,
            request_id=request_id,
            ip=ip,
            from_at=from_at,
            until_at=until,
        )
        asked: dict[str, Any] = {"format": chosen.value, **search.question}
        changes = {name: {"from": None, "to": value} for name, value in asked.items()}
        await self._disclose("audit.export", TARGET, changes)
        return await self._lines(write, chosen, search)

    async def _lines(
        self, write: Callable[[bytes], object], chosen: AuditFormat, search: AuditSearch
    ) -> AuditManifest:
        digest = sha256()
        n_bytes = n_rows = 0
        first: AuditEntry | None = None
        last: AuditEntry | None = None

        def put(data: bytes) -> None:
            nonlocal n_bytes
            digest.update(data)
            n_bytes += len(data)
            write(data)

        line = json_line
        if chosen is AuditFormat.CSV:
            line = csv_line
            put(csv_header())
        key = OLDEST_KEY
        window = WINDOW_ROWS if search.passes_over else _ROWS_AT_ONCE
        while True:
            rows = await self._scope.search(
                audit_search(
                    search, after=key, window_rows=window, limit_rows=window, oldest_first=True
                )
            )
            if rows:
                put(b"".join(map(line, rows)))
                first, last = first or rows[0], rows[-1]
                n_rows += len(rows)
            ends = await self._scope.search(
                audit_window_end(search, after=key, window_rows=window, oldest_first=True)
            )
            if not ends:
                break
            key = (cast(datetime, ends[0].occurred_at), ends[0].id)
        return AuditManifest(
            format=chosen,
            question=search.question,
            count=n_rows,
            first_id=first.id if first else None,
            first_at=first.occurred_at if first else None,
            last_id=last.id if last else None,
            last_at=last.occurred_at if last else None,
            bytes=n_bytes,
            sha256=digest.hexdigest(),
        )
