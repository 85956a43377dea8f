"""Reading the audit log, and what the application writes into it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from dal.errors import ValueRejectedError
from dal.records.audit import AuditCategory, AuditEntry, AuditSeverity, EntityState, Outcome
from dal.records.audit_actions import ACTIONS, CREATIONS, DELETIONS, RESTORATIONS
from dal.records.choice import choice
from dal.records.clock import END_OF_TIME, START_OF_TIME, check_time
from dal.records.ids import check_id, optional_id
from dal.records.page import Key, Page, check_limit, decode_cursor, encode_cursor, page_of
from dal.repositories.audit.export import AuditExports
from dal.repositories.audit.imports import AuditImports
from dal.repositories.audit.retention import AuditRetention
from dal.repositories.audit.rules import AuditRules, checked_type
from dal.repositories.audit.seals import AuditSeals
from dal.repositories.audit.statistics import AuditNumbers
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import changing, part
from dal.search.audit import FIRST_KEY, WINDOW_ROWS, AuditSearch, audit_search, audit_window_end

__all__ = ["AuditLogRepository"]

_ACTION: Final = re.compile(r"[a-z][a-z0-9_]{0,30}\.[a-z][a-z0-9_]{0,31}")
_OURS: Final = frozenset(action.partition(".")[0] for action in ACTIONS)
_NO_ID: Final = UUID(int=0)
_HISTORY_ROWS: Final = 500
_MAX_AFFECTED: Final = 2**32 - 1
_TICK: Final = timedelta(microseconds=1)


def _key(entry: AuditEntry) -> Key:
    return (entry.occurred_at, entry.id)


@part("audit")
class AuditLogRepository(AuditRules):
    """Who changed what, and when. Entries are written by the other repositories; of what they do
    not know the application says it itself, by :meth:`record`.

    Everybody reads what they did themselves; the rest is for the system.
    """

    @property
    def statistics(self) -> AuditNumbers:
        """Numbers of entries, and failed log-ins."""
        return AuditNumbers(self._scope)

    @property
    def seals(self) -> AuditSeals:
        """Seals over the log, and what verifies it."""
        return AuditSeals(self._scope)

    @property
    def export(self) -> AuditExports:
        """Taking entries out."""
        return AuditExports(self._scope)

    @property
    def imports(self) -> AuditImports:
        """Taking in entries from elsewhere."""
        return AuditImports(self._scope)

    @property
    def retention(self) -> AuditRetention:
        """How long entries are kept."""
        return AuditRetention(self._scope)

    async def list_mine(self, *, limit: int = 50, after: str | None = None) -> Page[AuditEntry]:
        """What the actor did, newest first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._user("only a user has entries of their own")
        return await self._by_actor("audit.list_mine", actor_id, limit, after)

    async def list_by_user(
        self, user_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[AuditEntry]:
        """What a user did, newest first, for the system; also one who is gone.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``user_id``, ``limit`` or ``after``.
        """
        self._only_system_reads()
        name = f"audit.list_by_user:{check_id('user_id', user_id)}"
        return await self._by_actor(name, user_id, limit, after)

    async def _by_actor(
        self, name: str, actor_id: UUID, limit: int, after: str | None
    ) -> Page[AuditEntry]:
        at, last = cast(tuple[datetime, UUID], decode_cursor(name, after, FIRST_KEY))
        rows = await self._logs.list_by_actor(
            actor_id=actor_id, before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of(name, rows, limit, _key)

    async def list_of_target(
        self, target_type: str, target_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[AuditEntry]:
        """What happened to one entity, newest first, for the system; also to one that is gone.

        Args:
            target_type: ``user``, ``template``, ``conversation``, ``prompt`` ...; or one of the
                application's own.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``target_type``, ``target_id``, ``limit`` or ``after``.
        """
        self._only_system_reads()
        name = (
            f"audit.list_of_target:{checked_type(target_type)}:{check_id('target_id', target_id)}"
        )
        at, last = cast(tuple[datetime, UUID], decode_cursor(name, after, FIRST_KEY))
        rows = await self._logs.list_by_target(
            target_type=target_type,
            target_id=target_id,
            before_at=at,
            before_id=last,
            limit_rows=check_limit(limit) + 1,
        )
        return page_of(name, rows, limit, _key)

    async def list_security(self, *, limit: int = 50, after: str | None = None) -> Page[AuditEntry]:
        """Log-ins and what belongs to them, refused attempts, and what is of high or critical
        severity, newest first, for the system.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``limit`` or ``after``.
        """
        self._only_system_reads()
        name = "audit.list_security"
        at, last = cast(tuple[datetime, UUID], decode_cursor(name, after, FIRST_KEY))
        rows = await self._logs.list_security(
            before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of(name, rows, limit, _key)

    async def search(
        self,
        text: str | None = None,
        *,
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
        until_at: datetime = END_OF_TIME,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[AuditEntry]:
        """Entries that match all that is given, newest first, for the system.

        A page may have fewer rows than asked for, or none, and still be followed by others: with
        filters that no key has, a call looks at 5,000 entries. Go on until ``next`` is None.

        Args:
            text: a part of an action, a name, an address, a request id or of what changed.
            field: a key of what changed, at any depth.
            actions: at most 20, such as ``template.purge``.
            severity: the least.
            from_at: the earliest; up to ``until_at``, which is not included.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: what is not understood; ``field`` names it.
        """
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
            until_at=until_at,
        )
        check_limit(limit)
        self._only_system_reads()
        key = decode_cursor(search.list_name, after, FIRST_KEY)
        window = WINDOW_ROWS if search.passes_over else limit + 1
        rows = await self._scope.search(
            audit_search(search, after=key, window_rows=window, limit_rows=limit + 1)
        )
        if len(rows) > limit or not search.passes_over:
            return page_of(search.list_name, rows, limit, _key)
        ends = await self._scope.search(audit_window_end(search, after=key, window_rows=window))
        if not ends:
            return Page((), None)
        following = encode_cursor(
            search.list_name, (cast(datetime, ends[0].occurred_at), ends[0].id)
        )
        return Page(tuple(rows), following)

    async def state_at(self, target_type: str, target_id: UUID, at: datetime) -> EntityState:
        """What an entity was like at a time, by what was written of it until then, for the system.

        Each field has the value that was last written: a long text as its length and SHA-256.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``target_type``, ``target_id`` or ``at``.
        """
        self._only_system_reads()
        until = check_time("at", at)
        checked_type(target_type)
        check_id("target_id", target_id)
        fields: dict[str, Any] = {}
        entries, is_whole, is_deleted = 0, False, False
        last_at, last_id = START_OF_TIME, _NO_ID
        while True:
            rows = await self._logs.list_history(
                target_type=target_type,
                target_id=target_id,
                after_at=last_at,
                after_id=last_id,
                until_at=until + _TICK,
                limit_rows=_HISTORY_ROWS,
            )
            for row in rows:
                if row.outcome is not Outcome.SUCCESS:
                    continue
                entries += 1
                verb = row.action.partition(".")[2]
                is_whole |= verb in CREATIONS
                is_deleted = verb in DELETIONS or (is_deleted and verb not in RESTORATIONS)
                fields.update((name, _after(change)) for name, change in row.changes.items())
            if len(rows) < _HISTORY_ROWS:
                break
            last_at, last_id = rows[-1].occurred_at, rows[-1].id
        return EntityState(
            target_type=target_type,
            target_id=target_id,
            at=until,
            fields=fields,
            entries=entries,
            is_whole=is_whole,
            is_deleted=is_deleted,
        )

    @changing
    async def record(
        self,
        action: str,
        *,
        target_id: UUID | None = None,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        outcome: Outcome | str = Outcome.SUCCESS,
        severity: AuditSeverity | str = AuditSeverity.LOW,
        affected: int = 1,
    ) -> None:
        """Write an entry about something that this library does not know, as the actor.

        What differs between ``before`` and ``after`` is kept, without secrets. In a transaction the
        entry is part of it: it is there if the transaction is committed.

        Args:
            action: of a type of the application's own: ``invoice.send``; the type is the target's.
            affected: how many targets.

        Raises:
            ValueRejectedError: ``action`` is no dotted verb, or its type is one of this library's;
                another argument is not what it should be; ``field`` names it.
        """
        kind = _own(action)
        ended = choice("outcome", Outcome, outcome)
        rank = choice("severity", AuditSeverity, severity)
        optional = optional_id(target_id) if target_id is None else check_id("target_id", target_id)
        for field, value in (("before", before), ("after", after)):
            if value is not None and not isinstance(value, Mapping):
                raise ValueRejectedError(f"{field}: a mapping of fields", field=field)
        if isinstance(affected, bool) or not isinstance(affected, int):
            raise ValueRejectedError("affected: a whole number", field="affected")
        if not 0 <= affected <= _MAX_AFFECTED:
            raise ValueRejectedError(f"affected: 0 to {_MAX_AFFECTED}", field="affected")
        await self._audit.write(
            action,
            kind,
            optional,
            changes=changes_between(before, after),
            affected=affected,
            outcome=ended,
            classes=(AuditCategory.APPLICATION, rank),
        )


def _after(change: object) -> object:
    """What a field was after a change; what imports brought has it plainly."""
    if isinstance(change, dict) and change.keys() <= {"from", "to"}:
        return change.get("to")
    return change


def _own(action: object) -> str:
    if not isinstance(action, str) or _ACTION.fullmatch(action) is None:
        raise ValueRejectedError("action: a dotted verb such as invoice.send", field="action")
    kind = action.partition(".")[0]
    if kind in _OURS:
        raise ValueRejectedError(
            f"action: what happens to a {kind} is written by this library", field="action"
        )
    return kind
