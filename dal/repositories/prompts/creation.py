"""Adding prompts: their number, what they follow, and who may add them."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn
from uuid import UUID

import attrs

from dal.errors import InvalidTransitionError, NotFoundError, ParentMissingError
from dal.gateways import ModelPricesGateway, TemplatesGateway, TemplateVersionsGateway
from dal.records.conversations import ConversationRow, ConversationStatus
from dal.records.ids import check_id, new_id
from dal.records.new_prompts import NewPrompt
from dal.records.prompts import Prompt, PromptStatus
from dal.records.usage import PricedUsage, UsageStatus, effective_prices, price_usage
from dal.repositories.base import changing
from dal.repositories.conversations.rules import absent
from dal.repositories.conversations.search import posting_rows, searched
from dal.repositories.prompts.rules import TARGET, PromptRules
from dal.repositories.prompts.usage_writer import EndedAttempt, UsageWriter

__all__ = ["Beside", "PromptCreation"]

_SAID = (
    "user_input", "system_prompt", "response", "template_id", "provider", "model",
    "max_attempts", "finish_reason", "latency_ms", "first_token_ms", "idempotency_key",
)  # fmt: skip


@attrs.frozen(slots=True)
class Beside:
    """Where a variation stands: its group, its number there, and what all of them follow."""

    group_id: UUID
    number: int
    parent: int | None


class PromptCreation(PromptRules):
    """Adding prompts, for the face and its parts. No door of its own."""

    @changing
    async def create(
        self, conversation_id: UUID, new: NewPrompt, *, action: str = "prompt.create"
    ) -> Prompt:
        """See :meth:`dal.repositories.prompts.PromptRepository.create`."""
        check_id("conversation_id", conversation_id)
        actor_id = await self._lock_author(action, None)
        if actor_id is None:
            if await self._is_there(conversation_id):
                self._deny(action, TARGET, None, "prompts are added by who takes part")
            raise absent()
        version = await self._version(new)
        row = await self._conversations.lock_for_participant(
            conversation_id=conversation_id, actor_id=actor_id
        )
        if row is None:
            raise absent()
        if not row.can_write:
            self._deny(action, TARGET, None, "only who may write adds prompts")
        first = await self.made_before(row, new)
        if first is not None:
            return first
        return await self.insert(action, row, new, version)

    async def insert(
        self,
        action: str,
        row: ConversationRow,
        new: NewPrompt,
        version: int | None,
        beside: Beside | None = None,
    ) -> Prompt:
        """Add a prompt to a locked conversation that the acting user may write in."""
        actor_id = self._user("prompts are added by who takes part")
        parent = await self._parent(row, new.parent_id) if beside is None else beside.parent
        now = self._scope.clock.now()
        priced = await self._priced(new, now)
        number = await self._conversations.record_prompt(
            conversation_id=row.id,
            actor_id=actor_id,
            token_count=priced.token_count,
            cost=priced.cost,
            now=now,
        )
        if number is None:
            _refuse_prompt(row)
        is_done = new.status is PromptStatus.COMPLETED
        values = {
            **{name: getattr(new, name) for name in _SAID},
            "conversation_id": row.id,
            "author_id": actor_id,
            "sequence_number": number,
            "parent_sequence": parent,
            "template_version": version,
            "token_count": priced.token_count,
            "cost": priced.cost,
            "attempt": int(is_done),
            "variation_group": None if beside is None else beside.group_id,
            "variation_number": None if beside is None else beside.number,
            "is_selected": False,
            "error_code": None,
            "error_message": None,
            "queued_at": None if is_done else now,
            "finished_at": now if is_done else None,
        }
        made = Prompt(
            **values,
            id=new.id or new_id(now),
            status=new.status,
            settings=new.settings,
            started_at=None,
            rating=None,
            feedback=None,
            rated_at=None,
            created_at=now,
            updated_at=now,
            deleted_at=None,
        )
        await self._prompts.insert(
            **values,
            prompt_id=made.id,
            prompt_status=made.status,
            prompt_settings=made.settings,
            now=now,
        )
        texts = searched(made.user_input, made.response, made.status)
        await self._postings.insert_many(posting_rows(row.id, row.owner_id, number, "", texts))
        # Of the texts the log keeps nothing: what somebody asked is not its matter.
        changes = {
            "conversation_id": {"from": None, "to": str(row.id)},
            "sequence_number": {"from": None, "to": number},
            "parent_sequence": {"from": None, "to": parent},
            "status": {"from": None, "to": made.status},
        }
        await self._audit.write(action, TARGET, made.id, changes=changes, at=now)
        if is_done:
            await self._count_answer(made, priced, now)
        return made

    async def _priced(self, new: NewPrompt, now: datetime) -> PricedUsage:
        """What the answer cost that a prompt comes with; without one, nothing."""
        if new.model is None or not new.usage or new.cost is not None:
            return price_usage(new.usage, {}, new.cost)
        known = await ModelPricesGateway(self._scope).list_by_models(model_names=[new.model])
        return price_usage(new.usage, effective_prices(known, new.provider, now))

    async def _count_answer(self, made: Prompt, priced: PricedUsage, now: datetime) -> None:
        """Count what came with its answer as if it had been answered now."""
        ended = EndedAttempt(
            prompt_id=made.id,
            attempt=made.attempt,
            conversation_id=made.conversation_id,
            author_id=made.author_id,
            template_id=made.template_id,
            template_version=made.template_version,
            provider=made.provider,
            model=made.model,
            usage_status=UsageStatus.COMPLETED,
            error_code=None,
            ended_at=now,
            latency_ms=made.latency_ms,
            first_token_ms=made.first_token_ms,
        )
        usage = UsageWriter(self._scope)
        await usage.write(ended, priced)
        if made.template_id is not None:
            await TemplatesGateway(self._scope).record_use(
                template_id=made.template_id, actor_id=None, actor_is_system=True, now=now
            )
        await usage.count(ended, priced)

    async def _version(self, new: NewPrompt) -> int | None:
        """Which version of its template the prompt is made of; the actor sees it."""
        if new.template_id is None:
            return None
        try:
            if new.template_version is None:
                found = await TemplatesGateway(self._scope).get(
                    template_id=new.template_id, **self._reader
                )
                return found.head_version
            await TemplateVersionsGateway(self._scope).get(
                template_id=new.template_id, version=new.template_version, **self._reader
            )
        except NotFoundError:
            raise ParentMissingError(
                "no such version of a template for this actor", constraint="prompts.template_id"
            ) from None
        return new.template_version

    async def made_before(self, row: ConversationRow, new: NewPrompt) -> Prompt | None:
        """The prompt that has the key already, if one was given."""
        if new.idempotency_key is None:
            return None
        found = await self._prompts.find_by_idempotency_key(
            conversation_id=row.id, idempotency_key=new.idempotency_key
        )
        return None if found is None else await self._get(found)

    async def _parent(self, row: ConversationRow, parent_id: UUID | None) -> int | None:
        """The number of the prompt that a new one follows."""
        if parent_id is None:
            return row.active_sequence
        found = await self._prompts.lock_live(prompt_id=parent_id)
        if found is None or found.conversation_id != row.id:
            raise ParentMissingError(
                "no such live prompt in this conversation", constraint="fk_prompts_parent"
            )
        return found.sequence_number


def _refuse_prompt(row: ConversationRow) -> NoReturn:
    """Say why a conversation, locked as it is, takes no prompt."""
    if row.archived_at is None and row.status is not ConversationStatus.COMPLETED:
        # Its owner was deleted a moment ago.
        raise absent()
    state = "archived" if row.archived_at is not None else row.status.value
    raise InvalidTransitionError(
        f"a conversation that is {state} takes no prompts",
        current=state,
        wanted=ConversationStatus.ACTIVE,
    )
