"""The life of a prompt: from waiting to its answer, a step at a time."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn
from uuid import UUID

from dal.errors import StaleVersionError
from dal.gateways import TemplatesGateway, UsageItemsGateway, UsageRecordsGateway
from dal.records.conversations import ParticipantRole
from dal.records.new_prompts import (
    PromptAnswer,
    PromptFailure,
    checked_offset,
    checked_part,
    checked_worker,
)
from dal.records.prompts import PricedWork, Prompt, PromptStatus, PromptWork
from dal.records.usage import (
    CostSource,
    PricedUsage,
    UsageStatus,
    effective_prices,
    price_usage,
)
from dal.repositories.base import changing
from dal.repositories.conversations.search import posting_rows, searched, terms_in
from dal.repositories.prompts.rules import TARGET, PromptRules, no_prompt, no_step
from dal.repositories.prompts.usage_writer import EndedAttempt, UsageWriter

__all__ = ["PromptLifecycle"]


class PromptLifecycle(PromptRules):
    """The steps, for the face and the queue. No door of its own.

    Each step is one UPDATE that says from where it goes; how many rows it matched decides. What
    many workers would wait for each other at, the counters of a template, comes last.
    """

    @changing
    async def start(self, prompt_id: UUID) -> Prompt:
        """See :meth:`dal.repositories.prompts.PromptRepository.start`."""
        action = "prompt.start"
        work = await self._work(action, prompt_id)
        now = self._scope.clock.now()
        if not await self._prompts.start(
            prompt_id=work.id, lease_owner=None, lease_until=None, now=now
        ):
            await self._refuse_step(work, PromptStatus.PROCESSING)
        started = await self._get(work.id)
        await self._tell(action, work, PromptStatus.PROCESSING, attempt=started.attempt)
        return started

    @changing
    async def complete(self, prompt_id: UUID, answer: PromptAnswer, worker: str | None) -> None:
        """See :meth:`dal.repositories.prompts.PromptRepository.complete`."""
        action = "prompt.complete"
        worker = checked_worker(worker)
        found = await self._priced_work(action, prompt_id, answer.model)
        now = self._scope.clock.now()
        ended = _ended(found, answer, UsageStatus.COMPLETED, now)
        priced = _priced(found, answer, ended)
        work: PromptWork = found
        while not await self._prompts.complete(
            prompt_id=work.id,
            conversation_id=work.conversation_id,
            owner_id=work.owner_id,
            attempt=work.attempt,
            lease_owner=worker,
            response=answer.response,
            finish_reason=answer.finish_reason,
            provider=ended.provider,
            model=ended.model,
            token_count=priced.token_count,
            cost=priced.cost,
            latency_ms=answer.latency_ms,
            first_token_ms=answer.first_token_ms,
            now=now,
        ):
            again = await self._find_work(work)
            if await self._is_answered_so(again, answer):
                return
            # Given away between the two statements: it is another one's to find now.
            if again.owner_id == work.owner_id:
                self._refuse_found(again, PromptStatus.COMPLETED, worker)
            work = again
        usage = UsageWriter(self._scope)
        await usage.write(ended, priced)
        await self._post_answer(work, answer.response)
        told = {"model": ended.model, "usage": priced.usage, "cost": str(priced.cost)}
        await self._tell(action, work, PromptStatus.COMPLETED, **told)
        if work.template_id is not None:
            # It was seen when the prompt was made, whoever sees it now; gone, it counts nothing.
            await TemplatesGateway(self._scope).record_use(
                template_id=work.template_id, actor_id=None, actor_is_system=True, now=now
            )
        await usage.count(ended, priced)

    @changing
    async def fail(self, prompt_id: UUID, failure: PromptFailure, worker: str | None) -> None:
        """See :meth:`dal.repositories.prompts.PromptRepository.fail`."""
        action = "prompt.fail"
        worker = checked_worker(worker)
        work = await self._priced_work(action, prompt_id, failure.model)
        now = self._scope.clock.now()
        ended = _ended(work, failure, UsageStatus.FAILED, now)
        priced = _priced(work, failure, ended)
        if not await self._prompts.fail(
            prompt_id=work.id,
            conversation_id=work.conversation_id,
            attempt=work.attempt,
            lease_owner=worker,
            error_code=failure.error_code,
            error_message=failure.error_message,
            provider=ended.provider,
            model=ended.model,
            token_count=priced.token_count,
            cost=priced.cost,
            latency_ms=failure.latency_ms,
            first_token_ms=None,
            now=now,
        ):
            self._refuse_found(await self._find_work(work), PromptStatus.FAILED, worker)
        usage = UsageWriter(self._scope)
        await usage.write(ended, priced)
        # What a provider says of an error may hold what was asked: the log has the code alone.
        told = {"error_code": failure.error_code, "attempt": work.attempt}
        await self._tell(action, work, PromptStatus.FAILED, **told)
        await usage.count(ended, priced)

    @changing
    async def cancel(self, prompt_id: UUID) -> None:
        """See :meth:`dal.repositories.prompts.PromptRepository.cancel`."""
        action = "prompt.cancel"
        work = await self._work(action, prompt_id)
        is_theirs = work.author_id == self._scope.actor.id
        if not (self._by_system or is_theirs or work.role is ParticipantRole.OWNER):
            self._deny(action, TARGET, work.id, "that is for its author, and for the owner")
        if not await self._prompts.cancel(prompt_id=work.id, now=self._scope.clock.now()):
            await self._refuse_step(work, PromptStatus.CANCELLED)
        await self._tell(action, work, PromptStatus.CANCELLED)

    @changing
    async def retry(self, prompt_id: UUID) -> None:
        """See :meth:`dal.repositories.prompts.PromptRepository.retry`."""
        action = "prompt.retry"
        work = await self._work(action, prompt_id)
        if not await self._prompts.retry(prompt_id=work.id, now=self._scope.clock.now()):
            found = await self._find_work(work)
            if found.status is PromptStatus.FAILED:
                raise no_step(
                    found.status,
                    PromptStatus.PENDING,
                    f"it failed {found.attempt} times, and was to be tried {found.max_attempts}",
                )
            self._refuse_found(found, PromptStatus.PENDING, None)
        await self._tell(action, work, PromptStatus.PENDING)

    @changing
    async def append_partial(
        self, prompt_id: UUID, text: str, offset: int, worker: str | None
    ) -> int:
        """See :meth:`dal.repositories.prompts.PromptRepository.append_partial`."""
        action = "prompt.append_partial"
        checked_part(text)
        checked_offset(offset)
        worker = checked_worker(worker)
        work = await self._work(action, prompt_id)
        if not await self._prompts.append_response(
            prompt_id=work.id,
            lease_owner=worker,
            response_part=text,
            offset_chars=offset,
            now=self._scope.clock.now(),
        ):
            found = await self._find_work(work)
            length = len(found.response or "")
            if found.status is PromptStatus.PROCESSING and found.lease_owner == worker:
                raise StaleVersionError(
                    "the answer has another length", expected=offset, actual=length
                )
            self._refuse_found(found, PromptStatus.PROCESSING, worker)
        return offset + len(text)

    # ------------------------------------------------------------------- rules

    async def _post_answer(self, work: PromptWork, response: str) -> None:
        """Have the prompt found by its answer too."""
        where = (work.conversation_id, work.owner_id, work.sequence_number, "")
        asked = terms_in(posting_rows(*where, [work.user_input]))
        texts = searched(work.user_input, response, PromptStatus.COMPLETED)
        known = set(asked)
        await self._postings.insert_many(
            row for row in posting_rows(*where, texts) if row["term"] not in known
        )

    async def _tell(
        self, action: str, work: PromptWork, wanted: PromptStatus, **more: object
    ) -> None:
        """The entry of a step. Of the texts the log keeps nothing."""
        changes = {
            "status": {"from": work.status, "to": wanted},
            **{name: {"from": None, "to": value} for name, value in more.items()},
        }
        await self._audit.write(action, TARGET, work.id, changes=changes)

    async def _find_work(self, work: PromptWork) -> PromptWork:
        """The prompt again, as it is now."""
        found = await self._prompts.find_work(prompt_id=work.id, **self._reader)
        if found is None:
            raise no_prompt()
        return found

    async def _priced_work(self, action: str, prompt_id: UUID, model: str | None) -> PricedWork:
        """As :meth:`_work`, with the prices of the model that answered."""
        self._check_worked(action, prompt_id)
        work = await self._prompts.find_priced_work(
            prompt_id=prompt_id, model=model, **self._reader
        )
        return self._may_work(action, prompt_id, work)

    async def _is_answered_so(self, found: PromptWork, answer: PromptAnswer) -> bool:
        """Whether this very answer is there already: who did not hear that may say it again."""
        if (
            found.status is not PromptStatus.COMPLETED
            or (answer.response, answer.finish_reason, answer.latency_ms, answer.first_token_ms)
            != (found.response, found.finish_reason, found.latency_ms, found.first_token_ms)
            or (answer.provider or found.provider, answer.model or found.model)
            != (found.provider, found.model)
        ):
            return False
        records = await UsageRecordsGateway(self._scope).list_by_prompt(prompt_id=found.id)
        if not records or records[-1].attempt != found.attempt:
            # It was answered before usage was recorded.
            return False
        record = records[-1]
        items = await UsageItemsGateway(self._scope).list_by_prompts(prompt_ids=[found.id])
        used = {i.usage_type: i.token_count for i in items if i.attempt == found.attempt}
        said = record.cost if record.cost_source is CostSource.CALLER else None
        return (answer.usage, answer.cost) == (used, said)

    async def _refuse_step(self, work: PromptWork, wanted: PromptStatus) -> NoReturn:
        self._refuse_found(await self._find_work(work), wanted, None)

    def _refuse_found(
        self, found: PromptWork, wanted: PromptStatus, worker: str | None
    ) -> NoReturn:
        """Say why a step was not taken."""
        if found.status is PromptStatus.PROCESSING and found.lease_owner != worker:
            raise no_step(found.status, wanted, "another worker has it, or had it since")
        raise no_step(found.status, wanted)


def _ended(
    work: PromptWork, end: PromptAnswer | PromptFailure, status: UsageStatus, now: datetime
) -> EndedAttempt:
    """The attempt that ends now. Who answered is who was asked, unless it is said."""
    return EndedAttempt(
        prompt_id=work.id,
        attempt=work.attempt,
        conversation_id=work.conversation_id,
        author_id=work.author_id,
        template_id=work.template_id,
        template_version=work.template_version,
        provider=end.provider or work.provider,
        model=end.model or work.model,
        usage_status=status,
        error_code=end.error_code if isinstance(end, PromptFailure) else None,
        ended_at=now,
        latency_ms=end.latency_ms,
        first_token_ms=end.first_token_ms if isinstance(end, PromptAnswer) else None,
    )


def _priced(
    work: PricedWork, end: PromptAnswer | PromptFailure, ended: EndedAttempt
) -> PricedUsage:
    """What the attempt cost, at the prices that hold when it ends."""
    prices = effective_prices(work.prices, ended.provider, ended.ended_at)
    return price_usage(end.usage, prices, end.cost)
