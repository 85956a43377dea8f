"""The queue of prompts that wait: claimed by workers, one at a time, each by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NoReturn
from uuid import UUID

from dal.errors import NotFoundError, ValueRejectedError
from dal.records.ids import check_id
from dal.records.new_prompts import checked_worker
from dal.records.page import check_batch
from dal.records.prompts import Prompt, PromptStatus
from dal.repositories.base import changing, frequent, part
from dal.repositories.prompts.rules import TARGET, PromptRules, no_prompt, no_step

__all__ = ["PromptQueue"]

_MAX_LEASE_S: Final = 86_400.0
_WHY: Final = "prompts are claimed by the system's workers"


@part("prompts.queue")
class PromptQueue(PromptRules):
    """For the system's workers: ``me.prompts.queue``.

    A worker claims a prompt, extends its lease while it is at work, and completes it or lets it
    fail under the name that it claimed it by. When it dies, its lease ends, and the prompt goes to
    another one. The name is of one worker at a time: a process that works at several prompts at
    once uses several.
    """

    async def claim_next(self, worker: str, *, lease_s: float = 60.0) -> Prompt | None:
        """Start the prompt that has waited longest, or None where none waits.

        Of many workers each gets another one, and none waits for another. What waits in a
        conversation that was deleted is cancelled on the way: nobody asks any more.

        Args:
            worker: its name, up to 100 characters, as ``host-17.3``.
            lease_s: for how long it is this worker's, in seconds, up to a day.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``worker`` or ``lease_s``.
        """
        name, lease = _named(worker), _lease(lease_s)
        while True:
            found = await self._claim_next(name, lease)
            if not isinstance(found, UUID):
                return found

    @changing
    async def _claim_next(self, worker: str, lease: timedelta) -> Prompt | UUID | None:
        """The prompt, or the id of one that was cancelled instead, or None: a transaction each."""
        action = "prompt.claim"
        self._only_system_changes(action, TARGET, None, _WHY)
        now = self._scope.clock.now()
        prompt_id = await self._prompts.lock_next(now=now)
        if prompt_id is None:
            return None
        await self._prompts.start(
            prompt_id=prompt_id, lease_owner=worker, lease_until=now + lease, now=now
        )
        try:
            claimed = await self._get(prompt_id)
        except NotFoundError:
            await self._prompts.cancel(prompt_id=prompt_id, now=now)
            ended = {"status": {"from": PromptStatus.PENDING, "to": PromptStatus.CANCELLED}}
            await self._audit.write("prompt.cancel", TARGET, prompt_id, changes=ended, at=now)
            return prompt_id
        changes: dict[str, object] = {
            "worker": {"from": None, "to": worker},
            "attempt": {"from": claimed.attempt - 1, "to": claimed.attempt},
        }
        await self._audit.write(action, TARGET, prompt_id, changes=changes, at=now)
        return claimed

    @frequent
    async def heartbeat(self, prompt_id: UUID, worker: str, *, lease_s: float = 60.0) -> datetime:
        """Extend the lease of a prompt that is at work; it does not become shorter.

        Returns:
            When it ends, if nothing more is heard.

        Raises:
            InvalidTransitionError: it is not this worker's, or not any more.
            NotFoundError: no such live prompt.
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``prompt_id``, ``worker`` or ``lease_s``.
        """
        return await self._heartbeat(prompt_id, _named(worker), _lease(lease_s))

    @changing
    async def release(self, prompt_id: UUID, worker: str) -> None:
        """Give a prompt back that this worker does not get to; that counts as no attempt.

        Raises:
            InvalidTransitionError: it is not this worker's, or not any more.
            NotFoundError: no such live prompt.
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``prompt_id`` or ``worker``.
        """
        action = "prompt.release"
        name = _named(worker)
        check_id("prompt_id", prompt_id)
        self._only_system_changes(action, TARGET, prompt_id, _WHY)
        now = self._scope.clock.now()
        if not await self._prompts.release(prompt_id=prompt_id, lease_owner=name, now=now):
            await self._refuse_lease(prompt_id, PromptStatus.PENDING)
        changes = {"worker": {"from": name, "to": None}}
        await self._audit.write(action, TARGET, prompt_id, changes=changes, at=now)

    @changing
    async def requeue_expired(self, *, batch: int = 500) -> int:
        """Have prompts wait again whose lease has ended, the longest ended first; call it each
        minute. What was started as often as it may be fails, as ``lease_expired``.

        Args:
            batch: the most of one call, 1 to 10,000.

        Returns:
            How many there were.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``batch``.
        """
        action = "prompt.requeue_expired"
        check_batch(batch)
        self._only_system_changes(action, TARGET, None, _WHY)
        now = self._scope.clock.now()
        found = await self._prompts.requeue_expired(now=now, limit_rows=batch)
        if found:
            await self._audit.write(action, TARGET, None, affected=found, at=now)
        return found

    @changing
    async def _heartbeat(self, prompt_id: UUID, worker: str, lease: timedelta) -> datetime:
        check_id("prompt_id", prompt_id)
        self._only_system_changes("prompt.heartbeat", TARGET, prompt_id, _WHY)
        until = self._scope.clock.now() + lease
        if not await self._prompts.extend_lease(
            prompt_id=prompt_id, lease_owner=worker, lease_until=until
        ):
            await self._refuse_lease(prompt_id, PromptStatus.PROCESSING)
        return until

    async def _refuse_lease(self, prompt_id: UUID, wanted: PromptStatus) -> NoReturn:
        found = await self._prompts.find_work(prompt_id=prompt_id, **self._reader)
        if found is None:
            raise no_prompt()
        raise no_step(found.status, wanted, "it is not this worker's, or not any more")


def _named(worker: object) -> str:
    name = checked_worker(worker)
    if name is None:
        raise ValueRejectedError("worker: a name is required", field="worker")
    return name


def _lease(lease_s: object) -> timedelta:
    if isinstance(lease_s, bool) or not isinstance(lease_s, (int, float)):
        raise _refused_lease()
    if not 0 < lease_s <= _MAX_LEASE_S:
        raise _refused_lease()
    return timedelta(seconds=lease_s)


def _refused_lease() -> ValueRejectedError:
    return ValueRejectedError("lease_s: seconds, more than 0 and up to a day", field="lease_s")
