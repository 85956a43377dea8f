"""Retention: what is old enough is archived and removed, and a checkpoint says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

import attrs

from dal.errors import NotFoundError, UniqueError, UsageError, ValueRejectedError
from dal.gateways import (
    AuditCheckpointsGateway,
    AuditHoldsGateway,
    AuditLogsGateway,
    AuditSealEntriesGateway,
)
from dal.records.audit_export import stored_line
from dal.records.audit_retention import AuditHold, OldAuditEntry, Retention, RetentionPolicy
from dal.records.audit_seals import (
    GENESIS,
    AuditBreak,
    AuditCheckpoint,
    BreakKind,
    SealedEntry,
    StoredAuditEntry,
    bits_of,
    checkpoint_sha256,
    entry_sha256,
    with_bits,
)
from dal.records.clock import START_OF_TIME
from dal.records.ids import MAX_ID, check_id, new_id, optional_id
from dal.records.page import Page, check_limit, decode_cursor, page_of
from dal.records.text import free_text
from dal.repositories.audit.rules import TARGET, AuditRules, checked_type
from dal.repositories.base import changing, part
from dal.session import Scope

__all__ = ["AuditRetention"]

_NO_ID: Final = UUID(int=0)
_OLD_AT_ONCE: Final = 1_000
_MAX_HOLDS: Final = 10_000
_MANY: Final = 2**31 - 1

Archive = Callable[[bytes], object]


class _OvertakenError(Exception):
    """Somebody else removed what was to be removed."""


class _ChangedError(Exception):
    """What was to be removed is not what was sealed."""

    def __init__(self, found: AuditBreak) -> None:
        super().__init__(found.message)
        self.found = found


@attrs.define(slots=True)
class _Run:
    """What a run knows, and what it has done."""

    policy: RetentionPolicy
    archive: Archive | None
    at: datetime
    left: int
    purged: int = 0
    checkpoints: int = 0
    held: int = 0
    unsealed: int = 0
    lag: timedelta = timedelta(0)

    def overdue(self, entry: OldAuditEntry) -> timedelta | None:
        """How long ago an entry should have been gone; None: it is still to be kept."""
        cutoff = self.policy.cutoff(self.at, entry.category, entry.severity)
        if cutoff is None or entry.occurred_at >= cutoff:
            return None
        return cutoff - entry.occurred_at


@part("audit.retention")
class AuditRetention(AuditRules):
    """How long entries are kept: ``me.audit.retention``, for the system.

    To remove takes the rights of the role ``dal_retention``, which the application's account does
    not have; holds are placed by the application.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._checkpoints = AuditCheckpointsGateway(scope)
        self._sealed = AuditSealEntriesGateway(scope)
        self._holds = AuditHoldsGateway(scope)

    @changing
    async def place_hold(
        self,
        reason: str,
        *,
        actor_id: UUID | None = None,
        target_type: str | None = None,
        target_id: UUID | None = None,
        id: UUID | None = None,  # noqa: A002 - as every create has it
    ) -> AuditHold:
        """Keep entries from being removed, however old they get: those of an actor, those about
        something, those that are both; or, with neither, all.

        Raises:
            PermissionDeniedError: the actor is not the system; the attempt is in the audit log.
            UniqueError: the id is taken.
            ValueRejectedError: ``reason``, ``actor_id``, ``target_type``, ``target_id`` or ``id``.
        """
        action = "audit.place_hold"
        why = free_text("reason", reason, max_chars=500)
        if not why.strip():
            raise ValueRejectedError("reason: must not be blank", field="reason")
        hold_id = optional_id(id) or new_id(self._scope.clock.now())
        if actor_id is not None:
            check_id("actor_id", actor_id)
        if target_type is not None:
            checked_type(target_type)
        if target_id is not None:
            check_id("target_id", target_id)
            if target_type is None:
                raise ValueRejectedError("target_type: goes with target_id", field="target_type")
        self._only_system_changes(action, TARGET, hold_id, "only the system holds entries")
        now = self._scope.clock.now()
        await self._holds.insert(
            hold_id=hold_id,
            held_actor_id=actor_id,
            held_type=target_type,
            held_id=target_id,
            reason=why,
            now=now,
        )
        held = {"actor_id": actor_id, "target_type": target_type, "target_id": target_id}
        changes = {name: {"from": None, "to": value} for name, value in held.items()}
        await self._audit.write(action, TARGET, hold_id, changes=changes, at=now)
        return AuditHold(hold_id, actor_id, target_type, target_id, why, now)

    @changing
    async def release_hold(self, hold_id: UUID) -> None:
        """Let go what a hold keeps.

        Raises:
            NotFoundError: no such hold, or it was released.
            PermissionDeniedError: the actor is not the system; the attempt is in the audit log.
            ValueRejectedError: ``hold_id`` is no UUID.
        """
        action = "audit.release_hold"
        check_id("hold_id", hold_id)
        self._only_system_changes(action, TARGET, hold_id, "only the system lets entries go")
        now = self._scope.clock.now()
        if not await self._holds.release(hold_id=hold_id, now=now):
            raise NotFoundError("no such hold")
        changes = {"released_at": {"from": None, "to": now}}
        await self._audit.write(action, TARGET, hold_id, changes=changes, at=now)

    async def list_holds(self, *, limit: int = 50, after: str | None = None) -> Page[AuditHold]:
        """The holds that stand, newest first.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``limit`` or ``after``.
        """
        self._only_system_reads()
        name = "audit.retention.list_holds"
        (last,) = decode_cursor(name, after, (MAX_ID,))
        assert isinstance(last, UUID)  # noqa: S101 - decode_cursor gives what the first key has
        rows = await self._holds.list_held(before_id=last, limit_rows=check_limit(limit) + 1)
        return page_of(name, rows, limit, lambda hold: (hold.id,))

    async def retain(
        self,
        policy: RetentionPolicy | None = None,
        *,
        archive: Archive | None = None,
        at_most: int | None = None,
        on_entries: Callable[[int], object] = lambda done: None,
    ) -> Retention:
        """Remove what is older than the policy keeps, oldest first, a seal at a time: what is
        removed of a seal, and the checkpoint that says so, are one transaction.

        Only sealed entries are removed, and as they were sealed: at one that was changed the run
        ends, since what tells of that would go with it. May be killed at any point and run by
        several at once.

        Args:
            policy: 365 days; of high severity 3 years, of critical 7, unless given.
            archive: called with lines of JSON before they are removed; what it raises ends the
                run, and nothing of that seal is removed. After a kill lines may come again.
            at_most: how many entries.
            on_entries: called with the number of entries that are gone.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ServerError: the account has no right to.
            UsageError: within a transaction: what is archived and removed of a seal is one.
            ValueRejectedError: ``policy`` or ``at_most``.
        """
        chosen = RetentionPolicy() if policy is None else policy
        if not isinstance(chosen, RetentionPolicy):
            raise ValueRejectedError("policy: a RetentionPolicy", field="policy")
        if at_most is not None and (
            isinstance(at_most, bool) or not isinstance(at_most, int) or at_most < 1
        ):
            raise ValueRejectedError("at_most: 1 or more", field="at_most")
        self._only_system("only the system removes entries")
        self._refuse_transaction("retention")
        now = self._scope.clock.now()
        run = _Run(chosen, archive, now, left=_MANY if at_most is None else at_most)
        until = chosen.latest_cutoff(now)
        is_overtaken = False
        broken: AuditBreak | None = None
        if until is not None:
            try:
                await self._walk(run, until, on_entries)
            except (_OvertakenError, UniqueError):
                is_overtaken = True
            except _ChangedError as error:
                broken = error.found
        return Retention(
            purged=run.purged,
            checkpoints=run.checkpoints,
            held=run.held,
            unsealed=run.unsealed,
            lag=run.lag,
            is_overtaken=is_overtaken,
            broken=broken,
        )

    async def _walk(self, run: _Run, until: datetime, on_entries: Callable[[int], object]) -> None:
        after_at, after_id = START_OF_TIME, _NO_ID
        while True:
            rows = await self._logs.list_old(
                until_at=until, after_at=after_at, after_id=after_id, limit_rows=_OLD_AT_ONCE
            )
            due: dict[int, list[OldAuditEntry]] = {}
            holds = await _standing(self._holds)
            for row in rows:
                overdue = run.overdue(row)
                if overdue is None:
                    continue
                if any(hold.holds(row) for hold in holds):
                    run.held += 1
                elif row.seal_number is None:
                    run.unsealed += 1
                    run.lag = max(run.lag, overdue)
                elif run.left <= sum(map(len, due.values())):
                    run.lag = max(run.lag, overdue)
                else:
                    due.setdefault(row.seal_number, []).append(row)
            for number, entries in due.items():
                gone = await self._scope.run(self._purge, run, number, entries)
                run.held += len(entries) - gone
                run.left -= gone
                run.purged += gone
                run.checkpoints += bool(gone)
                on_entries(run.purged)
            if len(rows) < _OLD_AT_ONCE or (run.lag and not run.left):
                return
            after_at, after_id = rows[-1].occurred_at, rows[-1].id

    @staticmethod
    async def _purge(
        tx: Scope, run: _Run, seal_number: int, entries: Sequence[OldAuditEntry]
    ) -> int:
        """Remove the entries of a seal that nothing holds; how many they were."""
        sealed, logs = AuditSealEntriesGateway(tx), AuditLogsGateway(tx)
        checkpoints = AuditCheckpointsGateway(tx)
        # Again: one may have been placed since.
        holds = await _standing(AuditHoldsGateway(tx))
        ids = sorted(one.id for one in entries if not any(hold.holds(one) for hold in holds))
        if not ids:
            return 0
        between = {"first_seal": seal_number, "last_seal": seal_number}
        # The last one before those of the seal: whoever writes one meanwhile takes the number.
        last = await checkpoints.find_last()
        of_seal = await sealed.list_by_seals(**between, limit_rows=_MANY)
        before = await checkpoints.list_by_seals(**between, limit_rows=_MANY)
        bits = bits_of(before[-1].gone if before else b"", len(of_seal))
        wanted = set(ids)
        gone = with_bits(
            is_gone or one.audit_id in wanted for one, is_gone in zip(of_seal, bits, strict=True)
        )
        stored = await logs.list_by_ids(audit_ids=ids, limit_rows=_MANY)
        _refuse_changed(stored, of_seal)
        archived: bytes | None = None
        if run.archive is not None:
            lines = b"".join(map(stored_line, stored))
            run.archive(lines)
            archived = sha256(lines).digest()
        if await logs.delete_many(audit_ids=ids) != len(ids):
            raise _OvertakenError
        now = tx.clock.now()
        made = AuditCheckpoint(
            number=last.number + 1 if last else 1,
            purged_at=now,
            purged_by=tx.actor.name or "",
            policy=run.policy.text,
            seal_number=seal_number,
            entry_count=len(ids),
            gone=gone,
            archive_sha256=archived,
            previous_sha256=last.sha256 if last else GENESIS,
            sha256=b"",
        )
        await checkpoints.insert(
            checkpoint_number=made.number,
            now=now,
            purged_by=made.purged_by,
            policy=made.policy,
            seal_number=seal_number,
            entry_count=made.entry_count,
            gone=gone,
            archive_sha256=archived,
            previous_sha256=made.previous_sha256,
            sha256=checkpoint_sha256(made),
        )
        if all(bits_of(gone, len(of_seal))):
            await sealed.delete_by_seal(seal_number=seal_number)
        return len(ids)


def _refuse_changed(stored: Sequence[StoredAuditEntry], of_seal: Sequence[SealedEntry]) -> None:
    hashes = {one.audit_id: one for one in of_seal}
    for entry in stored:
        sealed = hashes[entry.id]
        if entry_sha256(entry) != sealed.sha256:
            message = f"entry {entry.id} of seal {sealed.seal_number} was changed: it stays"
            raise _ChangedError(
                AuditBreak(BreakKind.CHANGED, message, sealed.seal_number, entry.id)
            )


async def _standing(holds: AuditHoldsGateway) -> list[AuditHold]:
    """All holds: none may be overlooked.

    Raises:
        UsageError: more than can be looked at.
    """
    found = await holds.list_held(before_id=MAX_ID, limit_rows=_MAX_HOLDS + 1)
    if len(found) > _MAX_HOLDS:
        raise UsageError(f"more than {_MAX_HOLDS:,} holds: release some, or hold by kind")
    return found
