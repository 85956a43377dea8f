"""Conversations in the trash: seen, counted, removed for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from dal.gateways import PromptsGateway
from dal.records.clock import END_OF_TIME, ago
from dal.records.conversations import ConversationSummary
from dal.records.page import Page, check_batch, check_limit, page_of, start_by_time
from dal.repositories.base import changing, part
from dal.repositories.conversations.rules import TARGET, ConversationRules

__all__ = ["ConversationTrash"]

_PROMPTS_AT_ONCE: Final = 10_000
_CONVERSATIONS_AT_ONCE: Final = 100
_POSTINGS_AT_ONCE: Final = 100_000
_POSTINGS_A_PROMPT: Final = 10


@part("conversations.trash")
class ConversationTrash(ConversationRules):
    """The actor's deleted conversations: ``me.conversations.trash``."""

    async def list_mine(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[ConversationSummary]:
        """The actor's own deleted conversations, deleted last first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._me()
        name = "conversations.trash.list_mine"
        at, last = start_by_time(name, after)
        rows = await self._conversations.list_trash(
            actor_id=actor_id,
            before_deleted_at=at,
            before_id=last,
            limit_rows=check_limit(limit) + 1,
        )
        return page_of(name, rows, limit, lambda row: (row.deleted_at or END_OF_TIME, row.id))

    async def count_mine(self) -> int:
        """How many conversations are in the actor's trash.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        return await self._conversations.count_trash(actor_id=self._me())

    @changing
    async def purge(self, conversation_id: UUID) -> None:
        """Remove a conversation in the trash for good, with its prompts and participants.

        Raises:
            NotFoundError: not in the actor's trash.
            PermissionDeniedError: seen, and not in the actor's trash.
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        action = "conversation.purge"
        actor_id = await self._lock_actor(action, conversation_id)
        locked = await self._conversations.lock_trash(
            conversation_id=conversation_id, actor_id=actor_id
        )
        if locked is None:
            await self._refuse_unowned(action, conversation_id, actor_id)
        prompts = PromptsGateway(self._scope)
        while await self._postings.delete_by_conversation(
            conversation_id=conversation_id, limit_rows=_POSTINGS_AT_ONCE
        ):
            pass
        while await prompts.delete_by_conversation(
            conversation_id=conversation_id, limit_rows=_PROMPTS_AT_ONCE
        ):
            pass
        await self._shares.delete_by_conversation(conversation_id=conversation_id)
        await self._participants.delete_by_conversation(conversation_id=conversation_id)
        await self._conversations.delete_one(conversation_id=conversation_id)
        await self._audit.write(action, TARGET, conversation_id)

    @changing
    async def purge_deleted(self, *, older_than: timedelta, batch: int = 1000) -> int:
        """Remove what has been in a trash for so long, for the system; how many rows of it.

        One batch a call, a transaction that removes at most ``batch`` prompts and ten times as many
        of their words, so that nobody waits for long: call again until it is 0. Killed at any
        point, the next call goes on. Who takes part and the links go first: from then on a
        conversation cannot be restored.

        Returns:
            Words, prompts and conversations that were removed, together.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``older_than`` is no time or negative, or ``batch`` not 1 to 10,000.
        """
        action = "conversation.purge_deleted"
        self._only_system_changes(action, TARGET, None, "trashes are emptied by the system alone")
        now = self._scope.clock.now()
        deleted_before, most = ago(now, older_than), check_batch(batch)
        old = await self._conversations.list_purgeable(
            deleted_before=deleted_before, limit_rows=_CONVERSATIONS_AT_ONCE
        )
        ids = await self._conversations.lock_purgeable(
            conversation_ids=old, deleted_before=deleted_before
        )
        if not ids:
            return 0
        await self._shares.delete_many(conversation_ids=ids)
        await self._participants.delete_many(conversation_ids=ids)
        words, prompts, emptied = 0, 0, list[UUID]()
        # One after the other: of a list of conversations both servers read all prompts for a batch.
        for conversation_id in ids:
            words += await self._postings.delete_by_conversation(
                conversation_id=conversation_id, limit_rows=most * _POSTINGS_A_PROMPT - words
            )
            if words == most * _POSTINGS_A_PROMPT:
                break
            prompts += await PromptsGateway(self._scope).delete_by_conversation(
                conversation_id=conversation_id, limit_rows=most - prompts
            )
            if prompts == most:
                break
            # Fewer than were asked for: there are no more, and what they hang on can go.
            emptied.append(conversation_id)
        whole = await self._conversations.delete_many(conversation_ids=emptied)
        removed = words + prompts + whole
        changes = {"conversations": {"from": whole, "to": 0}}
        await self._audit.write(action, TARGET, None, changes=changes, affected=removed, at=now)
        return removed
