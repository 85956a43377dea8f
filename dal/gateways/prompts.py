"""The table prompts. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import attrs

from dal.records.conversations import ConversationTotals
from dal.records.prompts import Prompt, PromptHead, PromptRow
from dal.records.shares import SharedPrompt
from dal.session import Executor
from dal.statements import house

__all__ = ["PromptsGateway"]

_COUNT_AUTHORS = house().value("prompts/count_authors", int)
_DELETE_BY_CONVERSATION = house().affected("prompts/delete_by_conversation")
_DELETE_MANY = house().affected("prompts/delete_many")
_FIND_CONVERSATION_INCLUDING_DELETED = house().find(
    "prompts/find_conversation_including_deleted", UUID
)
_GET = house().one("prompts/get", Prompt)
_INSERT = house().affected("prompts/insert")
_INSERT_MANY = house().bulk("prompts/insert_many")
_LIST_BY_CONVERSATION = house().many("prompts/list_by_conversation", Prompt)
_LIST_BY_SHARE = house().many("prompts/list_by_share", SharedPrompt)
_LIST_HEADS = house().many("prompts/list_heads", PromptHead)
_LOCK_DELETED = house().find("prompts/lock_deleted", PromptRow)
_LOCK_LIVE = house().find("prompts/lock_live", PromptRow)
_RESTORE = house().affected("prompts/restore")
_SOFT_DELETE = house().affected("prompts/soft_delete")
_SUM_BY_CONVERSATION = house().one("prompts/sum_by_conversation", ConversationTotals)


@attrs.frozen(slots=True)
class PromptsGateway:
    """A method per file of ``sql/prompts/``."""

    executor: Executor

    async def count_authors(
        self, *, first_owner: UUID, last_owner: UUID, since_at: datetime
    ) -> int:
        """Count who asked something since a time in the live conversations of some owners."""
        return await self.executor.value(
            _COUNT_AUTHORS, first_owner=first_owner, last_owner=last_owner, since_at=since_at
        )

    async def delete_by_conversation(self, *, conversation_id: UUID, limit_rows: int) -> int:
        """Remove prompts of a locked conversation in the trash, the lowest numbers first."""
        return await self.executor.affected(
            _DELETE_BY_CONVERSATION, conversation_id=conversation_id, limit_rows=limit_rows
        )

    async def delete_many(self, *, conversation_ids: Sequence[UUID], limit_rows: int) -> int:
        """Remove prompts of locked conversations in a trash, the lowest numbers of each first."""
        return await self.executor.affected(
            _DELETE_MANY, conversation_ids=conversation_ids, limit_rows=limit_rows
        )

    async def find_conversation_including_deleted(self, *, prompt_id: UUID) -> UUID | None:
        """Find the conversation of a prompt, which is locked before the prompt."""
        return await self.executor.find(_FIND_CONVERSATION_INCLUDING_DELETED, prompt_id=prompt_id)

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
        user_input: str,
        response: str | None,
        token_count: int,
        cost: Decimal,
        now: datetime,
    ) -> int:
        """Create a prompt of a conversation that gave its number, and is locked so."""
        return await self.executor.affected(
            _INSERT,
            prompt_id=prompt_id,
            conversation_id=conversation_id,
            author_id=author_id,
            sequence_number=sequence_number,
            user_input=user_input,
            response=response,
            token_count=token_count,
            cost=cost,
            now=now,
        )

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Create the prompts of conversations that were just inserted with their totals."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

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

    async def lock_deleted(self, *, prompt_id: UUID) -> PromptRow | None:
        """Lock a deleted prompt before it is restored; its conversation is locked."""
        return await self.executor.find(_LOCK_DELETED, prompt_id=prompt_id)

    async def lock_live(self, *, prompt_id: UUID) -> PromptRow | None:
        """Lock a live prompt before it is changed; its conversation is locked."""
        return await self.executor.find(_LOCK_LIVE, prompt_id=prompt_id)

    async def restore(self, *, prompt_id: UUID, now: datetime) -> int:
        """Take back the deletion of a prompt that is locked."""
        return await self.executor.affected(_RESTORE, prompt_id=prompt_id, now=now)

    async def soft_delete(self, *, prompt_id: UUID, now: datetime) -> int:
        """Delete a live prompt that is locked."""
        return await self.executor.affected(_SOFT_DELETE, prompt_id=prompt_id, now=now)

    async def sum_by_conversation(self, *, conversation_id: UUID) -> ConversationTotals:
        """Sum the live prompts of a conversation.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(_SUM_BY_CONVERSATION, conversation_id=conversation_id)
