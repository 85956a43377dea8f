"""The table prompts. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import attrs

from dal.records.conversations import ConversationTotals
from dal.records.prompts import (
    PricedWork,
    Prompt,
    PromptAbove,
    PromptHead,
    PromptPlace,
    PromptRow,
    PromptsOfStatus,
    PromptWork,
)
from dal.records.shares import SharedPrompt
from dal.session import Executor
from dal.statements import house

__all__ = ["PromptsGateway"]

_ADD_COST = house().affected("prompts/add_cost")
_APPEND_RESPONSE = house().affected("prompts/append_response")
_CANCEL = house().affected("prompts/cancel")
_COMPLETE = house().affected("prompts/complete")
_COUNT_AUTHORS = house().value("prompts/count_authors", int)
_COUNT_BY_STATUS_OF_AUTHOR = house().many("prompts/count_by_status_of_author", PromptsOfStatus)
_COUNT_BY_STATUS_OF_CONVERSATION = house().many(
    "prompts/count_by_status_of_conversation", PromptsOfStatus
)
_DELETE_BY_CONVERSATION = house().affected("prompts/delete_by_conversation")
_DESELECT_VARIATION = house().affected("prompts/deselect_variation")
_EXTEND_LEASE = house().affected("prompts/extend_lease")
_FAIL = house().affected("prompts/fail")
_FIND_BY_IDEMPOTENCY_KEY = house().find("prompts/find_by_idempotency_key", UUID)
_FIND_CONVERSATION_INCLUDING_DELETED = house().find(
    "prompts/find_conversation_including_deleted", UUID
)
_FIND_DEPTH = house().find("prompts/find_depth", int)
_FIND_LAST_VARIATION = house().find("prompts/find_last_variation", int)
_FIND_LIVE_ANCESTOR = house().find("prompts/find_live_ancestor", PromptAbove)
_FIND_PRICED_WORK = house().find("prompts/find_priced_work", PricedWork)
_FIND_WORK = house().find("prompts/find_work", PromptWork)
_GET = house().one("prompts/get", Prompt)
_INSERT = house().affected("prompts/insert")
_INSERT_MANY = house().bulk("prompts/insert_many")
_LEAVE_VARIATIONS = house().affected("prompts/leave_variations")
_LIST_BY_CONVERSATION = house().many("prompts/list_by_conversation", Prompt)
_LIST_BY_SHARE = house().many("prompts/list_by_share", SharedPrompt)
_LIST_CHILDREN = house().many("prompts/list_children", Prompt)
_LIST_DELETED_DESCENDANTS = house().many("prompts/list_deleted_descendants", PromptRow)
_LIST_DESCENDANTS = house().many("prompts/list_descendants", PromptPlace)
_LIST_FROM = house().many("prompts/list_from", PromptPlace)
_LIST_HEADS = house().many("prompts/list_heads", PromptHead)
_LIST_HITS = house().many("prompts/list_hits", Prompt)
_LIST_LEAVES = house().many("prompts/list_leaves", Prompt)
_LIST_PATH = house().many("prompts/list_path", Prompt)
_LIST_SIBLINGS = house().many("prompts/list_siblings", Prompt)
_LIST_VARIATION_PLACES = house().many("prompts/list_variation_places", PromptPlace)
_LIST_VARIATIONS = house().many("prompts/list_variations", Prompt)
_LOCK_DELETED = house().find("prompts/lock_deleted", PromptRow)
_LOCK_LIVE = house().find("prompts/lock_live", PromptRow)
_LOCK_NEXT = house().find("prompts/lock_next", UUID)
_RELEASE = house().affected("prompts/release")
_REQUEUE_EXPIRED = house().affected("prompts/requeue_expired")
_RESTORE = house().affected("prompts/restore")
_RESTORE_MANY = house().affected("prompts/restore_many")
_RETRY = house().affected("prompts/retry")
_SELECT_VARIATION = house().affected("prompts/select_variation")
_SOFT_DELETE = house().affected("prompts/soft_delete")
_SOFT_DELETE_MANY = house().affected("prompts/soft_delete_many")
_START = house().affected("prompts/start")
_START_VARIATIONS = house().affected("prompts/start_variations")
_SUM_BY_CONVERSATION = house().one("prompts/sum_by_conversation", ConversationTotals)
_UPDATE_CHILDREN = house().affected("prompts/update_children")
_UPDATE_PARENT = house().affected("prompts/update_parent")
_UPDATE_RATING = house().affected("prompts/update_rating")


@attrs.frozen(slots=True)
class PromptsGateway:
    """A method per file of ``sql/prompts/``."""

    executor: Executor

    async def add_cost(self, *, prompt_id: UUID, cost: Decimal) -> int:
        """Change the cost of a prompt whose conversation is locked, by what was reckoned anew."""
        return await self.executor.affected(_ADD_COST, prompt_id=prompt_id, cost=cost)

    async def append_response(
        self,
        *,
        prompt_id: UUID,
        lease_owner: str | None,
        response_part: str,
        offset_chars: int,
        now: datetime,
    ) -> int:
        """Append to the answer of a live prompt in process, if it is as long as was seen."""
        return await self.executor.affected(
            _APPEND_RESPONSE,
            prompt_id=prompt_id,
            lease_owner=lease_owner,
            response_part=response_part,
            offset_chars=offset_chars,
            now=now,
        )

    async def cancel(self, *, prompt_id: UUID, now: datetime) -> int:
        """Cancel a live prompt that waits or is processed; what was answered so far stays."""
        return await self.executor.affected(_CANCEL, prompt_id=prompt_id, now=now)

    async def complete(
        self,
        *,
        prompt_id: UUID,
        conversation_id: UUID,
        owner_id: UUID,
        attempt: int,
        lease_owner: str | None,
        response: str | None,
        finish_reason: str | None,
        provider: str | None,
        model: str | None,
        token_count: int,
        cost: Decimal,
        latency_ms: int | None,
        first_token_ms: int | None,
        now: datetime,
    ) -> int:
        """Complete a live prompt that is processed, and count what it took."""
        return await self.executor.affected(
            _COMPLETE,
            prompt_id=prompt_id,
            conversation_id=conversation_id,
            owner_id=owner_id,
            attempt=attempt,
            lease_owner=lease_owner,
            response=response,
            finish_reason=finish_reason,
            provider=provider,
            model=model,
            token_count=token_count,
            cost=cost,
            latency_ms=latency_ms,
            first_token_ms=first_token_ms,
            now=now,
        )

    async def count_authors(
        self, *, first_owner: UUID, last_owner: UUID, since_at: datetime
    ) -> int:
        """Count who asked something since a time in the live conversations of some owners."""
        return await self.executor.value(
            _COUNT_AUTHORS, first_owner=first_owner, last_owner=last_owner, since_at=since_at
        )

    async def count_by_status_of_author(self, *, author_id: UUID) -> list[PromptsOfStatus]:
        """Count the live prompts of who asked them by where they stand."""
        return await self.executor.many(_COUNT_BY_STATUS_OF_AUTHOR, author_id=author_id)

    async def count_by_status_of_conversation(
        self, *, conversation_id: UUID
    ) -> list[PromptsOfStatus]:
        """Count the live prompts of a conversation by where they stand."""
        return await self.executor.many(
            _COUNT_BY_STATUS_OF_CONVERSATION, conversation_id=conversation_id
        )

    async def delete_by_conversation(self, *, conversation_id: UUID, limit_rows: int) -> int:
        """Remove prompts of a locked conversation in the trash, the highest numbers first."""
        return await self.executor.affected(
            _DELETE_BY_CONVERSATION, conversation_id=conversation_id, limit_rows=limit_rows
        )

    async def deselect_variation(self, *, group_id: UUID) -> int:
        """Have none of the variations of a locked conversation selected."""
        return await self.executor.affected(_DESELECT_VARIATION, group_id=group_id)

    async def extend_lease(
        self, *, prompt_id: UUID, lease_owner: str | None, lease_until: datetime | None
    ) -> int:
        """Extend the lease of a worker on a live prompt; it does not become shorter."""
        return await self.executor.affected(
            _EXTEND_LEASE, prompt_id=prompt_id, lease_owner=lease_owner, lease_until=lease_until
        )

    async def fail(
        self,
        *,
        prompt_id: UUID,
        conversation_id: UUID,
        attempt: int,
        lease_owner: str | None,
        error_code: str,
        error_message: str | None,
        provider: str | None,
        model: str | None,
        token_count: int,
        cost: Decimal,
        latency_ms: int | None,
        first_token_ms: int | None,
        now: datetime,
    ) -> int:
        """Let a live prompt that is processed fail, and count what it took all the same."""
        return await self.executor.affected(
            _FAIL,
            prompt_id=prompt_id,
            conversation_id=conversation_id,
            attempt=attempt,
            lease_owner=lease_owner,
            error_code=error_code,
            error_message=error_message,
            provider=provider,
            model=model,
            token_count=token_count,
            cost=cost,
            latency_ms=latency_ms,
            first_token_ms=first_token_ms,
            now=now,
        )

    async def find_by_idempotency_key(
        self, *, conversation_id: UUID, idempotency_key: str | None
    ) -> UUID | None:
        """Find the live prompt that a key was given to in a conversation that is locked."""
        return await self.executor.find(
            _FIND_BY_IDEMPOTENCY_KEY,
            conversation_id=conversation_id,
            idempotency_key=idempotency_key,
        )

    async def find_conversation_including_deleted(self, *, prompt_id: UUID) -> UUID | None:
        """Find the conversation of a prompt, which is locked before the prompt."""
        return await self.executor.find(_FIND_CONVERSATION_INCLUDING_DELETED, prompt_id=prompt_id)

    async def find_depth(
        self, *, prompt_id: UUID, actor_id: UUID | None, actor_is_system: bool
    ) -> int | None:
        """Find how many live prompts there are from a root to a live prompt, both counted."""
        return await self.executor.find(
            _FIND_DEPTH, prompt_id=prompt_id, actor_id=actor_id, actor_is_system=actor_is_system
        )

    async def find_last_variation(self, *, group_id: UUID) -> int | None:
        """Find the highest number that was given among variations, the deleted ones too."""
        return await self.executor.find(_FIND_LAST_VARIATION, group_id=group_id)

    async def find_live_ancestor(
        self, *, conversation_id: UUID, sequence_number: int
    ) -> PromptAbove | None:
        """Find the nearest live prompt on the way up, or the deleted root, under a lock."""
        return await self.executor.find(
            _FIND_LIVE_ANCESTOR, conversation_id=conversation_id, sequence_number=sequence_number
        )

    async def find_priced_work(
        self, *, prompt_id: UUID, actor_id: UUID | None, actor_is_system: bool, model: str | None
    ) -> PricedWork | None:
        """Find a live prompt with the prices of its model, for who takes part in it."""
        return await self.executor.find(
            _FIND_PRICED_WORK,
            prompt_id=prompt_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            model=model,
        )

    async def find_work(
        self, *, prompt_id: UUID, actor_id: UUID | None, actor_is_system: bool
    ) -> PromptWork | None:
        """Find a live prompt as its next step needs it, for who takes part in its conversation."""
        return await self.executor.find(
            _FIND_WORK, prompt_id=prompt_id, actor_id=actor_id, actor_is_system=actor_is_system
        )

    async def get(self, *, prompt_id: UUID, actor_id: UUID | None, actor_is_system: bool) -> Prompt:
        """Get a live prompt of a live conversation, if the actor takes part in it.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(
            _GET, prompt_id=prompt_id, actor_id=actor_id, actor_is_system=actor_is_system
        )

    async def insert(
        self,
        *,
        prompt_id: UUID,
        conversation_id: UUID,
        author_id: UUID,
        sequence_number: int,
        parent_sequence: int | None,
        prompt_status: str,
        user_input: str,
        system_prompt: str | None,
        response: str | None,
        template_id: UUID | None,
        template_version: int | None,
        provider: str | None,
        model: str | None,
        prompt_settings: Mapping[str, object] | None,
        token_count: int,
        cost: Decimal,
        attempt: int,
        max_attempts: int,
        error_code: str | None,
        error_message: str | None,
        finish_reason: str | None,
        latency_ms: int | None,
        first_token_ms: int | None,
        queued_at: datetime | None,
        finished_at: datetime | None,
        idempotency_key: str | None,
        variation_group: UUID | None,
        variation_number: int | None,
        is_selected: bool,
        now: datetime,
    ) -> int:
        """Create a prompt of a conversation that gave its number, and is locked so."""
        return await self.executor.affected(
            _INSERT,
            prompt_id=prompt_id,
            conversation_id=conversation_id,
            author_id=author_id,
            sequence_number=sequence_number,
            parent_sequence=parent_sequence,
            prompt_status=prompt_status,
            user_input=user_input,
            system_prompt=system_prompt,
            response=response,
            template_id=template_id,
            template_version=template_version,
            provider=provider,
            model=model,
            prompt_settings=prompt_settings,
            token_count=token_count,
            cost=cost,
            attempt=attempt,
            max_attempts=max_attempts,
            error_code=error_code,
            error_message=error_message,
            finish_reason=finish_reason,
            latency_ms=latency_ms,
            first_token_ms=first_token_ms,
            queued_at=queued_at,
            finished_at=finished_at,
            idempotency_key=idempotency_key,
            variation_group=variation_group,
            variation_number=variation_number,
            is_selected=is_selected,
            now=now,
        )

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Create the prompts of conversations that were just inserted with their totals."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def leave_variations(self, *, prompt_id: UUID) -> int:
        """Take a live prompt of a locked conversation out of its variations."""
        return await self.executor.affected(_LEAVE_VARIATIONS, prompt_id=prompt_id)

    async def list_by_conversation(
        self,
        *,
        conversation_id: UUID,
        actor_id: UUID | None,
        actor_is_system: bool,
        after_sequence: int,
        limit_rows: int,
    ) -> list[Prompt]:
        """Page through the live prompts of a live conversation, in the order of their numbers."""
        return await self.executor.many(
            _LIST_BY_CONVERSATION,
            conversation_id=conversation_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            after_sequence=after_sequence,
            limit_rows=limit_rows,
        )

    async def list_by_share(
        self,
        *,
        token_hash: bytes,
        now: datetime,
        viewer_id: UUID | None,
        after_sequence: int,
        limit_rows: int,
    ) -> list[SharedPrompt]:
        """Page through the live prompts that a valid token shows, in the order of their numbers."""
        return await self.executor.many(
            _LIST_BY_SHARE,
            token_hash=token_hash,
            now=now,
            viewer_id=viewer_id,
            after_sequence=after_sequence,
            limit_rows=limit_rows,
        )

    async def list_children(
        self,
        *,
        prompt_id: UUID,
        actor_id: UUID | None,
        actor_is_system: bool,
        after_sequence: int,
        limit_rows: int,
    ) -> list[Prompt]:
        """Page through the live prompts that follow a live prompt, by their numbers."""
        return await self.executor.many(
            _LIST_CHILDREN,
            prompt_id=prompt_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            after_sequence=after_sequence,
            limit_rows=limit_rows,
        )

    async def list_deleted_descendants(
        self, *, conversation_id: UUID, sequence_number: int, after_sequence: int, limit_rows: int
    ) -> list[PromptRow]:
        """List a deleted prompt and those below it that were deleted with it, under a lock."""
        return await self.executor.many(
            _LIST_DELETED_DESCENDANTS,
            conversation_id=conversation_id,
            sequence_number=sequence_number,
            after_sequence=after_sequence,
            limit_rows=limit_rows,
        )

    async def list_descendants(
        self, *, conversation_id: UUID, sequence_number: int, after_sequence: int, limit_rows: int
    ) -> list[PromptPlace]:
        """List a live prompt and the live ones below it; their conversation is locked."""
        return await self.executor.many(
            _LIST_DESCENDANTS,
            conversation_id=conversation_id,
            sequence_number=sequence_number,
            after_sequence=after_sequence,
            limit_rows=limit_rows,
        )

    async def list_from(
        self, *, conversation_id: UUID, after_sequence: int, limit_rows: int
    ) -> list[PromptPlace]:
        """List the live prompts from a number on; their conversation is locked."""
        return await self.executor.many(
            _LIST_FROM,
            conversation_id=conversation_id,
            after_sequence=after_sequence,
            limit_rows=limit_rows,
        )

    async def list_heads(
        self,
        *,
        head_chars: int,
        conversation_ids: Sequence[UUID],
        search_terms: Sequence[int],
        actor_id: UUID,
    ) -> list[PromptHead]:
        """Read the start of the prompt of each conversation that has most of some terms."""
        return await self.executor.many(
            _LIST_HEADS,
            head_chars=head_chars,
            conversation_ids=conversation_ids,
            search_terms=search_terms,
            actor_id=actor_id,
        )

    async def list_hits(self, *, prompt_ids: Sequence[UUID], actor_id: UUID) -> list[Prompt]:
        """Read live prompts that a search found, if the actor takes part in their conversations."""
        return await self.executor.many(_LIST_HITS, prompt_ids=prompt_ids, actor_id=actor_id)

    async def list_leaves(
        self,
        *,
        conversation_id: UUID,
        actor_id: UUID | None,
        actor_is_system: bool,
        after_sequence: int,
        limit_rows: int,
    ) -> list[Prompt]:
        """Page through the live prompts of a conversation that none follows, by numbers."""
        return await self.executor.many(
            _LIST_LEAVES,
            conversation_id=conversation_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            after_sequence=after_sequence,
            limit_rows=limit_rows,
        )

    async def list_path(
        self, *, prompt_id: UUID, actor_id: UUID | None, actor_is_system: bool, limit_rows: int
    ) -> list[Prompt]:
        """Read a live prompt and the nearest ones that it follows, the last first."""
        return await self.executor.many(
            _LIST_PATH,
            prompt_id=prompt_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            limit_rows=limit_rows,
        )

    async def list_siblings(
        self,
        *,
        prompt_id: UUID,
        actor_id: UUID | None,
        actor_is_system: bool,
        after_sequence: int,
        limit_rows: int,
    ) -> list[Prompt]:
        """Page through the live prompts that follow what a live prompt follows, by numbers."""
        return await self.executor.many(
            _LIST_SIBLINGS,
            prompt_id=prompt_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            after_sequence=after_sequence,
            limit_rows=limit_rows,
        )

    async def list_variation_places(self, *, group_id: UUID) -> list[PromptPlace]:
        """List the live variations of a group, of a locked conversation, by their numbers."""
        return await self.executor.many(_LIST_VARIATION_PLACES, group_id=group_id)

    async def list_variations(
        self, *, prompt_id: UUID, actor_id: UUID | None, actor_is_system: bool
    ) -> list[Prompt]:
        """List the live variations of a live prompt, itself among them, by their numbers."""
        return await self.executor.many(
            _LIST_VARIATIONS,
            prompt_id=prompt_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
        )

    async def lock_deleted(self, *, prompt_id: UUID) -> PromptRow | None:
        """Lock a deleted prompt before it is restored; its conversation is locked."""
        return await self.executor.find(_LOCK_DELETED, prompt_id=prompt_id)

    async def lock_live(self, *, prompt_id: UUID) -> PromptRow | None:
        """Lock a live prompt before it is changed; its conversation is locked."""
        return await self.executor.find(_LOCK_LIVE, prompt_id=prompt_id)

    async def lock_next(self, *, now: datetime) -> UUID | None:
        """Lock the live prompt that waits longest and that nobody else is taking."""
        return await self.executor.find(_LOCK_NEXT, now=now)

    async def release(self, *, prompt_id: UUID, lease_owner: str | None, now: datetime) -> int:
        """Have a live prompt wait again that its worker gives back; that counts as no attempt."""
        return await self.executor.affected(
            _RELEASE, prompt_id=prompt_id, lease_owner=lease_owner, now=now
        )

    async def requeue_expired(self, *, now: datetime, limit_rows: int) -> int:
        """Have prompts wait again whose lease has ended, the longest ended first."""
        return await self.executor.affected(_REQUEUE_EXPIRED, now=now, limit_rows=limit_rows)

    async def restore(self, *, prompt_id: UUID, now: datetime) -> int:
        """Take back the deletion of a prompt that is locked."""
        return await self.executor.affected(_RESTORE, prompt_id=prompt_id, now=now)

    async def restore_many(self, *, prompt_ids: Sequence[UUID], now: datetime) -> int:
        """Take back the deletion of prompts of a conversation that is locked."""
        return await self.executor.affected(_RESTORE_MANY, prompt_ids=prompt_ids, now=now)

    async def retry(self, *, prompt_id: UUID, now: datetime) -> int:
        """Have a live prompt that failed wait again, if attempts are left."""
        return await self.executor.affected(_RETRY, prompt_id=prompt_id, now=now)

    async def select_variation(self, *, prompt_id: UUID) -> int:
        """Select a live prompt of a locked conversation among its variations."""
        return await self.executor.affected(_SELECT_VARIATION, prompt_id=prompt_id)

    async def soft_delete(self, *, prompt_id: UUID, now: datetime) -> int:
        """Delete a live prompt that is locked."""
        return await self.executor.affected(_SOFT_DELETE, prompt_id=prompt_id, now=now)

    async def soft_delete_many(self, *, prompt_ids: Sequence[UUID], now: datetime) -> int:
        """Delete live prompts of a conversation that is locked."""
        return await self.executor.affected(_SOFT_DELETE_MANY, prompt_ids=prompt_ids, now=now)

    async def start(
        self,
        *,
        prompt_id: UUID,
        lease_owner: str | None,
        lease_until: datetime | None,
        now: datetime,
    ) -> int:
        """Begin the next attempt of a live prompt that waits."""
        return await self.executor.affected(
            _START, prompt_id=prompt_id, lease_owner=lease_owner, lease_until=lease_until, now=now
        )

    async def start_variations(self, *, prompt_id: UUID, group_id: UUID) -> int:
        """Have a live prompt of a locked conversation be the first of its variations."""
        return await self.executor.affected(
            _START_VARIATIONS, prompt_id=prompt_id, group_id=group_id
        )

    async def sum_by_conversation(self, *, conversation_id: UUID) -> ConversationTotals:
        """Sum the live prompts of a conversation.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(_SUM_BY_CONVERSATION, conversation_id=conversation_id)

    async def update_children(
        self,
        *,
        conversation_id: UUID,
        sequence_number: int,
        parent_sequence: int | None,
        now: datetime,
    ) -> int:
        """Have the live prompts that follow one follow another one, under a lock."""
        return await self.executor.affected(
            _UPDATE_CHILDREN,
            conversation_id=conversation_id,
            sequence_number=sequence_number,
            parent_sequence=parent_sequence,
            now=now,
        )

    async def update_parent(
        self, *, prompt_id: UUID, parent_sequence: int | None, now: datetime
    ) -> int:
        """Have a prompt that is locked, live or deleted, follow another one."""
        return await self.executor.affected(
            _UPDATE_PARENT, prompt_id=prompt_id, parent_sequence=parent_sequence, now=now
        )

    async def update_rating(
        self,
        *,
        prompt_id: UUID,
        prompt_rating: int | None,
        feedback: str | None,
        rated_at: datetime | None,
    ) -> int:
        """Rate the answer of a live prompt, or take that back."""
        return await self.executor.affected(
            _UPDATE_RATING,
            prompt_id=prompt_id,
            prompt_rating=prompt_rating,
            feedback=feedback,
            rated_at=rated_at,
        )
