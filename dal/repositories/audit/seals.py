"""Seals: entries in order, hashed, each seal over the one before.

A business transaction writes its entry and waits for nobody. The sealer comes after it, takes what
is committed and has no seal, and writes one; what commits late goes into a later seal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, NoReturn, cast
from uuid import UUID

import attrs

from dal.errors import UniqueError, ValueRejectedError
from dal.gateways import AuditCheckpointsGateway, AuditSealEntriesGateway, AuditSealsGateway
from dal.records.audit_seals import (
    GENESIS,
    MAX_SEALED,
    AuditAnchor,
    AuditBreak,
    AuditCheckpoint,
    AuditSeal,
    AuditVerification,
    BreakKind,
    SealedEntry,
    Sealing,
    StoredAuditEntry,
    bits_of,
    checkpoint_sha256,
    entry_sha256,
    seal_sha256,
)
from dal.records.clock import START_OF_TIME, ago, check_time
from dal.repositories.audit.rules import AuditRules
from dal.repositories.base import part
from dal.search.audit import OLDEST_KEY, AuditSearch, audit_window_end
from dal.session import Scope

__all__ = ["AuditSeals"]

_DAY: Final = timedelta(days=1)
_NO_ID: Final = UUID(int=0)
_SEALS_AT_ONCE: Final = 500
_ENTRIES_AT_ONCE: Final = 1_000
_WALKED_AT_ONCE: Final = 20_000
_MAX_NUMBER: Final = 2**32 - 1
_MANY: Final = 2**31 - 1


class _BrokenError(Exception):
    """Found something; the walk ends here."""

    def __init__(self, found: AuditBreak) -> None:
        super().__init__(found.message)
        self.found = found


@attrs.define(slots=True)
class _Counts:
    seals: int = 0
    entries: int = 0
    purged: int = 0
    unsealed: int = 0
    checkpoints: int = 0


@part("audit.seals")
class AuditSeals(AuditRules):
    """Seals over the log: ``me.audit.seals``, for the system.

    To seal takes the rights of the role ``dal_sealer``; to verify, those too. The application's
    account has neither.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._seals = AuditSealsGateway(scope)
        self._sealed = AuditSealEntriesGateway(scope)
        self._checkpoints = AuditCheckpointsGateway(scope)

    async def seal(
        self,
        *,
        late: timedelta = _DAY,
        since: datetime | None = None,
        entries_at_once: int = 1_000,
    ) -> Sealing:
        """Seal all committed entries that have no seal, oldest first.

        May be called as often as liked, killed at any point, and run by several at once: each seal
        is one transaction, and of two sealers one gets it; the other one stops.

        Args:
            late: how long a transaction may take: entries are looked for from the newest one that
                is sealed on, and this much before it.
            since: from which time on instead, for what is older: an import.
            entries_at_once: the most of one seal, 1 to 10,000.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ServerError: the account has no right to.
            UsageError: within a transaction: each seal is one.
            ValueRejectedError: an argument is not what it should be.
        """
        self._only_system("only the system seals")
        self._refuse_transaction("sealing")
        if isinstance(entries_at_once, bool) or not isinstance(entries_at_once, int):
            raise ValueRejectedError("entries_at_once: a whole number", field="entries_at_once")
        if not 1 <= entries_at_once <= MAX_SEALED:
            raise ValueRejectedError(f"entries_at_once: 1 to {MAX_SEALED}", field="entries_at_once")
        last = await self._seals.find_last()
        # What the newest seal ends with, and not when it was made: a sealer that was killed has
        # more to seal behind it. Nor is a clock that is ahead followed.
        known = min(last.last_at, last.sealed_at) if last else None
        reach = ago(known, late, field="late") if known else START_OF_TIME
        if since is not None:
            reach = min(reach, check_time("since", since))
        after_at, after_id = START_OF_TIME, _NO_ID
        n_seals = n_entries = 0
        while True:
            rows = await self._logs.list_unsealed(
                since=reach, after_at=after_at, after_id=after_id, limit_rows=entries_at_once
            )
            if not rows:
                return Sealing(n_seals, n_entries, is_overtaken=False)
            try:
                await self._scope.run(self._write, rows, reach)
            except UniqueError:
                return Sealing(n_seals, n_entries, is_overtaken=True)
            n_seals += 1
            n_entries += len(rows)
            after_at, after_id = rows[-1].occurred_at, rows[-1].id

    @staticmethod
    async def _write(tx: Scope, rows: list[StoredAuditEntry], since: datetime) -> None:
        seals = AuditSealsGateway(tx)
        last = await seals.find_last()
        now = tx.clock.now()
        hashes = sorted((row.id, entry_sha256(row)) for row in rows)
        seal = AuditSeal(
            number=last.number + 1 if last else 1,
            sealed_at=now,
            since=since,
            entry_count=len(rows),
            first_at=rows[0].occurred_at,
            last_at=rows[-1].occurred_at,
            previous_sha256=last.sha256 if last else GENESIS,
            sha256=b"",
        )
        # First the number: a second sealer waits here, and is refused.
        await seals.insert(
            seal_number=seal.number,
            now=now,
            since=since,
            entry_count=seal.entry_count,
            first_at=seal.first_at,
            last_at=seal.last_at,
            previous_sha256=seal.previous_sha256,
            sha256=seal_sha256(seal, hashes),
        )
        await AuditSealEntriesGateway(tx).insert_many(
            {"audit_id": audit_id, "seal_number": seal.number, "sha256": digest}
            for audit_id, digest in hashes
        )

    async def anchor(self) -> AuditAnchor:
        """The head of the log, to be kept elsewhere: it shows later that nothing was cut off, and
        that nobody made the seals anew.

        Raises:
            PermissionDeniedError: the actor is not the system.
        """
        self._only_system_reads()
        last = await self._seals.find_last()
        checkpoint = await self._checkpoints.find_last()
        return AuditAnchor(
            at=self._scope.clock.now(),
            seal=last.number if last else 0,
            seal_sha256=(last.sha256 if last else GENESIS).hex(),
            checkpoint=checkpoint.number if checkpoint else 0,
            checkpoint_sha256=(checkpoint.sha256 if checkpoint else GENESIS).hex(),
        )

    async def verify(
        self,
        anchor: AuditAnchor | None = None,
        *,
        on_seals: Callable[[int], object] = lambda done: None,
    ) -> AuditVerification:
        """Compare every entry with its seal, and every seal with the one before; up to the first
        that does not fit. In constant memory, while others write, seal and purge.

        What is not sealed yet cannot be verified, and a log whose end was cut off together with
        its seals is whole without an ``anchor`` from before.

        Args:
            on_seals: called with the number of seals that were seen.

        Raises:
            PermissionDeniedError: the actor is not the system.
            UsageError: within a transaction: it takes many short ones.
            ValueRejectedError: ``anchor`` is no AuditAnchor.
        """
        if anchor is not None and not isinstance(anchor, AuditAnchor):
            raise ValueRejectedError("anchor: an AuditAnchor", field="anchor")
        self._only_system_reads()
        self._refuse_transaction("a verification")
        counts = _Counts()
        broken: AuditBreak | None = None
        try:
            await self._check_checkpoints(anchor, counts)
            last = await self._check_seals(anchor, counts, on_seals)
            await self._check_strays(counts)
            await self._check_unsealed(last, counts)
        except _BrokenError as error:
            broken = error.found
        return AuditVerification(
            **attrs.asdict(counts), is_anchored=anchor is not None, broken=broken
        )

    async def _check_checkpoints(self, anchor: AuditAnchor | None, counts: _Counts) -> None:
        """Each follows the one before, and says what its hash is over."""
        previous, kind = GENESIS, BreakKind.CHECKPOINT
        while True:
            rows = await self._checkpoints.list_from(
                first_checkpoint=counts.checkpoints + 1, limit_rows=_SEALS_AT_ONCE
            )
            for row in rows:
                number = counts.checkpoints + 1
                if row.number != number:
                    _stop(kind, f"checkpoint {number} is missing")
                if row.previous_sha256 != previous or checkpoint_sha256(row) != row.sha256:
                    _stop(kind, f"checkpoint {number} was changed, or one before it")
                anchored = anchor if anchor and number == anchor.checkpoint else None
                if anchored and row.sha256.hex() != anchored.checkpoint_sha256:
                    _stop(BreakKind.ANCHOR, f"checkpoint {number} is not the anchored one")
                previous = row.sha256
                counts.checkpoints += 1
            if len(rows) < _SEALS_AT_ONCE:
                break
        if anchor is not None and counts.checkpoints < anchor.checkpoint:
            _stop(
                BreakKind.CUT_OFF,
                f"the anchor knows checkpoint {anchor.checkpoint}, there are {counts.checkpoints}",
            )

    async def _check_seals(
        self, anchor: AuditAnchor | None, counts: _Counts, on_seals: Callable[[int], object]
    ) -> AuditSeal | None:
        """The newest seal that was seen."""
        last: AuditSeal | None = None
        async for group in self._groups():
            for seal in group:
                number = counts.seals + 1
                if seal.number != number:
                    _stop(BreakKind.SEAL, f"seal {number} is missing", number)
                if seal.previous_sha256 != (last.sha256 if last else GENESIS):
                    _stop(BreakKind.SEAL, f"seal {number} does not follow the one before", number)
                anchored = anchor if anchor and number == anchor.seal else None
                if anchored and seal.sha256.hex() != anchored.seal_sha256:
                    _stop(BreakKind.ANCHOR, f"seal {number} is not the anchored one", number)
                last = seal
                counts.seals += 1
            # What retention removes meanwhile is gone from all that is read here, or from nothing.
            async with self._scope.begin(isolation="REPEATABLE READ") as tx:
                await type(self)(tx)._check_group(group, counts)
            on_seals(counts.seals)
        if anchor is not None and counts.seals < anchor.seal:
            message = f"the anchor knows seal {anchor.seal}, the log ends at {counts.seals}"
            _stop(BreakKind.CUT_OFF, message, counts.seals)
        return last

    async def _groups(self) -> AsyncIterator[list[AuditSeal]]:
        """The seals in their order, so many at once that they have some thousand entries."""
        group: list[AuditSeal] = []
        first = 1
        while rows := await self._seals.list_from(first_seal=first, limit_rows=_SEALS_AT_ONCE):
            for seal in rows:
                group.append(seal)
                if sum(one.entry_count for one in group) >= _ENTRIES_AT_ONCE:
                    yield group
                    group = []
            first = rows[-1].number + 1
        if group:
            yield group

    async def _check_group(self, group: list[AuditSeal], counts: _Counts) -> None:
        between = {"first_seal": group[0].number, "last_seal": group[-1].number}
        sealed: dict[int, list[SealedEntry]] = {seal.number: [] for seal in group}
        # One more than there may be is enough to tell, however many were brought in.
        most = sum(seal.entry_count for seal in group) + 1
        for one in await self._sealed.list_by_seals(**between, limit_rows=most):
            sealed[one.seal_number].append(one)
        newest: dict[int, AuditCheckpoint] = {
            row.seal_number: row
            for row in await self._checkpoints.list_by_seals(**between, limit_rows=_MANY)
        }
        ids = [one.audit_id for of_seal in sealed.values() for one in of_seal]
        entries = {
            row.id: row for row in await self._logs.list_by_ids(audit_ids=ids, limit_rows=_MANY)
        }
        for seal in group:
            of_seal, checkpoint = sealed[seal.number], newest.get(seal.number)
            gone = bits_of(checkpoint.gone if checkpoint else b"", seal.entry_count)
            if all(gone) and not of_seal:
                # Nothing is left to be compared; that the seal is the one it was, the next says.
                counts.purged += seal.entry_count
                continue
            _check_seal(seal, of_seal, gone, entries, counts)

    async def _check_strays(self, counts: _Counts) -> None:
        """Entries that are said to be of a seal that is not there."""
        for first, last in ((0, 0), (counts.seals + 1, _MAX_NUMBER)):
            strays = await self._sealed.list_by_seals(
                first_seal=first, last_seal=last, limit_rows=_ENTRIES_AT_ONCE
            )
            # Asked afterwards: what was sealed meanwhile has its seal.
            head = await self._seals.find_last() if strays else None
            for one in strays:
                number = one.seal_number
                if head is None or not 1 <= number <= head.number:
                    message = f"entry {one.audit_id} is of seal {number}, which is not there"
                    _stop(BreakKind.ADDED, message, number, one.audit_id)

    async def _check_unsealed(self, last: AuditSeal | None, counts: _Counts) -> None:
        """Entries that no seal has: new ones, or such as were brought in where all is sealed."""
        everything = AuditSearch()
        after = OLDEST_KEY
        while ends := await self._scope.search(
            audit_window_end(
                everything, after=after, window_rows=_WALKED_AT_ONCE, oldest_first=True
            )
        ):
            at, last_id = cast(tuple[datetime, UUID], after)
            end_at, end_id = cast(datetime, ends[0].occurred_at), ends[0].id
            rows = await self._logs.list_unsealed_between(
                after_at=at,
                after_id=last_id,
                window_at=end_at,
                window_id=end_id,
                limit_rows=_WALKED_AT_ONCE,
            )
            if rows and last is not None and rows[0].occurred_at < last.since:
                _stop(
                    BreakKind.ADDED,
                    f"entry {rows[0].id} of {rows[0].occurred_at.isoformat()} has no seal, and is"
                    " older than what is still to be sealed: added, or imported",
                    None,
                    rows[0].id,
                )
            counts.unsealed += len(rows)
            after = (end_at, end_id)


def _check_seal(
    seal: AuditSeal,
    of_seal: list[SealedEntry],
    gone: list[bool],
    entries: dict[UUID, StoredAuditEntry],
    counts: _Counts,
) -> None:
    number = seal.number
    if len(of_seal) != seal.entry_count:
        kind = BreakKind.REMOVED if len(of_seal) < seal.entry_count else BreakKind.ADDED
        message = f"seal {number} is over {seal.entry_count} entries, {len(of_seal)} are said to be"
        _stop(kind, message, number, _odd(of_seal, entries))
    if seal_sha256(seal, ((one.audit_id, one.sha256) for one in of_seal)) != seal.sha256:
        message = f"seal {number} was changed, or what it says of its entries"
        _stop(BreakKind.SEAL, message, number, _odd(of_seal, entries))
    for one, is_gone in zip(of_seal, gone, strict=True):
        entry = entries.get(one.audit_id)
        if entry is None:
            if not is_gone:
                _stop(
                    BreakKind.REMOVED,
                    f"entry {one.audit_id} of seal {number} is gone, and by no checkpoint",
                    number,
                    one.audit_id,
                )
            counts.purged += 1
            continue
        if is_gone:
            message = f"entry {one.audit_id} of seal {number} was purged, and is there again"
            _stop(BreakKind.ADDED, message, number, one.audit_id)
        if entry_sha256(entry) != one.sha256:
            message = (
                f"entry {one.audit_id} of seal {number}, {entry.action} at"
                f" {entry.occurred_at.isoformat()}, was changed"
            )
            _stop(BreakKind.CHANGED, message, number, one.audit_id)
        counts.entries += 1


def _odd(of_seal: Iterable[SealedEntry], entries: dict[UUID, StoredAuditEntry]) -> UUID | None:
    """The first entry that is not what its row says, where the seal itself does not fit."""
    for one in of_seal:
        entry = entries.get(one.audit_id)
        if entry is not None and entry_sha256(entry) != one.sha256:
            return one.audit_id
    return None


def _stop(
    kind: BreakKind, message: str, seal_number: int | None = None, audit_id: UUID | None = None
) -> NoReturn:
    raise _BrokenError(AuditBreak(kind, message, seal_number, audit_id))
