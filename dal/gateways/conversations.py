"""The table conversations. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import attrs

from dal.records.conversation_statistics import (
    ConversationCost,
    ConversationsOfDay,
    ConversationStatistics,
)
from dal.records.conversations import (
    Conversation,
    ConversationRow,
    ConversationSummary,
    ConversationTotals,
)
from dal.records.transfer import Successor
from dal.session import Executor
from dal.statements import house

__all__ = ["ConversationsGateway"]

_ADD_COST = house().affected("conversations/add_cost")
_ADD_PROMPTS = house().affected("conversations/add_prompts")
_ARCHIVE_IDLE = house().affected("conversations/archive_idle")
_ARCHIVE_OWN = house().affected("conversations/archive_own")
_COUNT_OWN = house().value("conversations/count_own", int)
_COUNT_TRASH = house().value("conversations/count_trash", int)
_DELETE_MANY = house().affected("conversations/delete_many")
_DELETE_ONE = house().affected("conversations/delete_one")
_EXISTS = house().value("conversations/exists", bool)
_GET = house().one("conversations/get", Conversation)
_GET_STATISTICS = house().one("conversations/get_statistics", ConversationStatistics)
_INSERT = house().affected("conversations/insert")
_INSERT_MANY = house().bulk("conversations/insert_many")
_LIST_ARCHIVED = house().many("conversations/list_archived", ConversationSummary)
_LIST_COSTLIEST = house().many("conversations/list_costliest", ConversationCost)
_LIST_CREATED_BY_DAY = house().many("conversations/list_created_by_day", ConversationsOfDay)
_LIST_HITS = house().many("conversations/list_hits", ConversationSummary)
_LIST_IDLE = house().many("conversations/list_idle", UUID)
_LIST_OWN = house().many("conversations/list_own", ConversationSummary)
_LIST_OWN_BY_STATUS = house().many("conversations/list_own_by_status", ConversationSummary)
_LIST_OWN_RECENT = house().many("conversations/list_own_recent", ConversationSummary)
_LIST_OWN_WHOLE = house().many("conversations/list_own_whole", Conversation)
_LIST_PINNED = house().many("conversations/list_pinned", ConversationSummary)
_LIST_PURGEABLE = house().many("conversations/list_purgeable", UUID)
_LIST_SHARED = house().many("conversations/list_shared", ConversationSummary)
_LIST_SUCCESSORS = house().many("conversations/list_successors", Successor)
_LIST_TAKEN_IDS = house().many("conversations/list_taken_ids", UUID)
_LIST_TRASH = house().many("conversations/list_trash", ConversationSummary)
_LOCK_ANY_OF_OWNER = house().many("conversations/lock_any_of_owner", UUID)
_LOCK_FOR_PARTICIPANT = house().find("conversations/lock_for_participant", ConversationRow)
_LOCK_INCLUDING_DELETED = house().find("conversations/lock_including_deleted", UUID)
_LOCK_PURGEABLE = house().many("conversations/lock_purgeable", UUID)
_LOCK_TOTALS = house().find("conversations/lock_totals", ConversationTotals)
_LOCK_TRASH = house().find("conversations/lock_trash", UUID)
_RECORD_PROMPT = house().last_id("conversations/record_prompt")
_RESTORE = house().affected("conversations/restore")
_SOFT_DELETE = house().affected("conversations/soft_delete")
_SOFT_DELETE_MANY = house().affected("conversations/soft_delete_many")
_SUBTRACT_PROMPTS = house().affected("conversations/subtract_prompts")
_UPDATE_ACTIVE = house().affected("conversations/update_active")
_UPDATE_ARCHIVED = house().affected("conversations/update_archived")
_UPDATE_DETAILS = house().affected("conversations/update_details")
_UPDATE_OWNER = house().affected("conversations/update_owner")
_UPDATE_STATUS = house().affected("conversations/update_status")
_UPDATE_TOTALS = house().affected("conversations/update_totals")


@attrs.frozen(slots=True)
class ConversationsGateway:
    """A method per file of ``sql/conversations/``."""

    executor: Executor

    async def add_cost(self, *, conversation_id: UUID, cost: Decimal) -> int:
        """Change the cost of a conversation by what the cost of its live prompts changed."""
        return await self.executor.affected(_ADD_COST, conversation_id=conversation_id, cost=cost)

    async def add_prompts(
        self,
        *,
        conversation_id: UUID,
        active_sequence: int | None,
        message_count: int,
        token_count: int,
        cost: Decimal,
        now: datetime,
    ) -> int:
        """Put prompts back into the totals of a conversation that is locked."""
        return await self.executor.affected(
            _ADD_PROMPTS,
            conversation_id=conversation_id,
            active_sequence=active_sequence,
            message_count=message_count,
            token_count=token_count,
            cost=cost,
            now=now,
        )

    async def archive_idle(
        self, *, now: datetime, conversation_ids: Sequence[UUID], idle_before: datetime
    ) -> int:
        """Archive conversations that are idle still, by their ids."""
        return await self.executor.affected(
            _ARCHIVE_IDLE, now=now, conversation_ids=conversation_ids, idle_before=idle_before
        )

    async def archive_own(self, *, now: datetime, actor_id: UUID) -> int:
        """Archive all of the actor's own live conversations that are not."""
        return await self.executor.affected(_ARCHIVE_OWN, now=now, actor_id=actor_id)

    async def count_own(self, *, actor_id: UUID) -> int:
        """Count the actor's own live conversations, the archived ones too."""
        return await self.executor.value(_COUNT_OWN, actor_id=actor_id)

    async def count_trash(self, *, actor_id: UUID) -> int:
        """Count the conversations in the actor's trash."""
        return await self.executor.value(_COUNT_TRASH, actor_id=actor_id)

    async def delete_many(self, *, conversation_ids: Sequence[UUID]) -> int:
        """Remove conversations that are locked, and that nothing hangs on any more."""
        return await self.executor.affected(_DELETE_MANY, conversation_ids=conversation_ids)

    async def delete_one(self, *, conversation_id: UUID) -> int:
        """Remove a conversation that is locked, and that nothing hangs on any more."""
        return await self.executor.affected(_DELETE_ONE, conversation_id=conversation_id)

    async def exists(
        self, *, conversation_id: UUID, actor_id: UUID | None, actor_is_system: bool
    ) -> bool:
        """Say whether there is a live conversation that the actor takes part in."""
        return await self.executor.value(
            _EXISTS,
            conversation_id=conversation_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
        )

    async def get(
        self, *, conversation_id: UUID, actor_id: UUID | None, actor_is_system: bool
    ) -> Conversation:
        """Get a live conversation, if the actor takes part in it.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(
            _GET,
            conversation_id=conversation_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
        )

    async def get_statistics(
        self, *, first_owner: UUID, last_owner: UUID
    ) -> ConversationStatistics:
        """Count the live conversations of some owners by status, their totals and lengths.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(
            _GET_STATISTICS, first_owner=first_owner, last_owner=last_owner
        )

    async def insert(
        self,
        *,
        conversation_id: UUID,
        owner_id: UUID,
        title: str,
        description: str | None,
        context: Mapping[str, object],
        settings: Mapping[str, object],
        now: datetime,
    ) -> int:
        """Create a conversation of a live owner; no row when the owner is not there."""
        return await self.executor.affected(
            _INSERT,
            conversation_id=conversation_id,
            owner_id=owner_id,
            title=title,
            description=description,
            context=context,
            settings=settings,
            now=now,
        )

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Create conversations of owners who are locked and live, with their totals."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_archived(
        self,
        *,
        actor_id: UUID,
        before_archived_at: datetime,
        before_at: datetime,
        before_id: UUID,
        limit_rows: int,
    ) -> list[ConversationSummary]:
        """Page through the actor's own archived conversations, archived last first."""
        return await self.executor.many(
            _LIST_ARCHIVED,
            actor_id=actor_id,
            before_archived_at=before_archived_at,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def list_costliest(
        self, *, first_owner: UUID, last_owner: UUID, limit_rows: int
    ) -> list[ConversationCost]:
        """List the live conversations of some owners by cost, most costly first."""
        return await self.executor.many(
            _LIST_COSTLIEST, first_owner=first_owner, last_owner=last_owner, limit_rows=limit_rows
        )

    async def list_created_by_day(
        self,
        *,
        utc_offset_s: int,
        first_owner: UUID,
        last_owner: UUID,
        from_at: datetime,
        until_at: datetime,
        limit_rows: int,
    ) -> list[ConversationsOfDay]:
        """Count the live conversations of some owners that were created, by local day."""
        return await self.executor.many(
            _LIST_CREATED_BY_DAY,
            utc_offset_s=utc_offset_s,
            first_owner=first_owner,
            last_owner=last_owner,
            from_at=from_at,
            until_at=until_at,
            limit_rows=limit_rows,
        )

    async def list_hits(
        self, *, actor_id: UUID, conversation_ids: Sequence[UUID]
    ) -> list[ConversationSummary]:
        """Read the conversations that a search found, as far as the actor takes part in them."""
        return await self.executor.many(
            _LIST_HITS, actor_id=actor_id, conversation_ids=conversation_ids
        )

    async def list_idle(self, *, idle_before: datetime, limit_rows: int) -> list[UUID]:
        """List live conversations in which nothing was said since a time, longest idle first."""
        return await self.executor.many(_LIST_IDLE, idle_before=idle_before, limit_rows=limit_rows)

    async def list_own(
        self, *, actor_id: UUID, before_at: datetime, before_id: UUID, limit_rows: int
    ) -> list[ConversationSummary]:
        """Page through the actor's own conversations that are not archived, active last first."""
        return await self.executor.many(
            _LIST_OWN,
            actor_id=actor_id,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def list_own_by_status(
        self,
        *,
        actor_id: UUID,
        conversation_status: str,
        before_at: datetime,
        before_id: UUID,
        limit_rows: int,
    ) -> list[ConversationSummary]:
        """Page through the actor's own conversations of a status, active last first."""
        return await self.executor.many(
            _LIST_OWN_BY_STATUS,
            actor_id=actor_id,
            conversation_status=conversation_status,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def list_own_recent(
        self,
        *,
        actor_id: UUID,
        since_at: datetime,
        before_at: datetime,
        before_id: UUID,
        limit_rows: int,
    ) -> list[ConversationSummary]:
        """Page through the actor's own conversations active since a time, active last first."""
        return await self.executor.many(
            _LIST_OWN_RECENT,
            actor_id=actor_id,
            since_at=since_at,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def list_own_whole(
        self, *, actor_id: UUID, before_id: UUID, limit_rows: int
    ) -> list[Conversation]:
        """Page through the actor's own conversations with context and settings, newest first."""
        return await self.executor.many(
            _LIST_OWN_WHOLE, actor_id=actor_id, before_id=before_id, limit_rows=limit_rows
        )

    async def list_pinned(
        self, *, actor_id: UUID, before_at: datetime, before_id: UUID, limit_rows: int
    ) -> list[ConversationSummary]:
        """Page through the conversations that the actor pinned, active last first."""
        return await self.executor.many(
            _LIST_PINNED,
            actor_id=actor_id,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def list_purgeable(self, *, deleted_before: datetime, limit_rows: int) -> list[UUID]:
        """List conversations that are in a trash since before a time, deleted first first."""
        return await self.executor.many(
            _LIST_PURGEABLE, deleted_before=deleted_before, limit_rows=limit_rows
        )

    async def list_shared(
        self, *, actor_id: UUID, before_at: datetime, before_id: UUID, limit_rows: int
    ) -> list[ConversationSummary]:
        """Page through conversations of others that the actor takes part in, active last first."""
        return await self.executor.many(
            _LIST_SHARED,
            actor_id=actor_id,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def list_successors(self, *, owner_id: UUID, limit_rows: int) -> list[Successor]:
        """List who takes part in a user's live conversations, who is to follow first."""
        return await self.executor.many(_LIST_SUCCESSORS, owner_id=owner_id, limit_rows=limit_rows)

    async def list_taken_ids(
        self, *, conversation_ids: Sequence[UUID], actor_id: UUID | None, actor_is_system: bool
    ) -> list[UUID]:
        """List which of these ids the actor has as conversations, the trash too."""
        return await self.executor.many(
            _LIST_TAKEN_IDS,
            conversation_ids=conversation_ids,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
        )

    async def list_trash(
        self, *, actor_id: UUID, before_deleted_at: datetime, before_id: UUID, limit_rows: int
    ) -> list[ConversationSummary]:
        """Page through the actor's own deleted conversations, deleted last first."""
        return await self.executor.many(
            _LIST_TRASH,
            actor_id=actor_id,
            before_deleted_at=before_deleted_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def lock_any_of_owner(self, *, owner_id: UUID, limit_rows: int) -> list[UUID]:
        """Lock conversations of a user, the trash too, to remove them, the oldest first."""
        return await self.executor.many(
            _LOCK_ANY_OF_OWNER, owner_id=owner_id, limit_rows=limit_rows
        )

    async def lock_for_participant(
        self, *, conversation_id: UUID, actor_id: UUID
    ) -> ConversationRow | None:
        """Lock a live conversation, and what the actor may do in it, before it is changed."""
        return await self.executor.find(
            _LOCK_FOR_PARTICIPANT, conversation_id=conversation_id, actor_id=actor_id
        )

    async def lock_including_deleted(self, *, conversation_id: UUID) -> UUID | None:
        """Lock a conversation, live or deleted, before what its prompts cost changes."""
        return await self.executor.find(_LOCK_INCLUDING_DELETED, conversation_id=conversation_id)

    async def lock_purgeable(
        self, *, conversation_ids: Sequence[UUID], deleted_before: datetime
    ) -> list[UUID]:
        """Lock those of some conversations that are in a trash since before a time."""
        return await self.executor.many(
            _LOCK_PURGEABLE, conversation_ids=conversation_ids, deleted_before=deleted_before
        )

    async def lock_totals(self, *, conversation_id: UUID) -> ConversationTotals | None:
        """Lock the totals of a live conversation, before they are compared."""
        return await self.executor.find(_LOCK_TOTALS, conversation_id=conversation_id)

    async def lock_trash(self, *, conversation_id: UUID, actor_id: UUID) -> UUID | None:
        """Lock a conversation in the actor's trash before it is removed for good."""
        return await self.executor.find(
            _LOCK_TRASH, conversation_id=conversation_id, actor_id=actor_id
        )

    async def record_prompt(
        self,
        *,
        conversation_id: UUID,
        actor_id: UUID,
        token_count: int,
        cost: Decimal,
        now: datetime,
    ) -> int | None:
        """Give the next number of a conversation that the actor may write in, and count it."""
        return await self.executor.last_id(
            _RECORD_PROMPT,
            conversation_id=conversation_id,
            actor_id=actor_id,
            token_count=token_count,
            cost=cost,
            now=now,
        )

    async def restore(self, *, conversation_id: UUID, actor_id: UUID, now: datetime) -> int:
        """Take a conversation out of the actor's trash."""
        return await self.executor.affected(
            _RESTORE, conversation_id=conversation_id, actor_id=actor_id, now=now
        )

    async def soft_delete(self, *, conversation_id: UUID, actor_id: UUID, now: datetime) -> int:
        """Put a live conversation of the actor into the trash."""
        return await self.executor.affected(
            _SOFT_DELETE, conversation_id=conversation_id, actor_id=actor_id, now=now
        )

    async def soft_delete_many(self, *, conversation_ids: Sequence[UUID], now: datetime) -> int:
        """Put conversations that are locked into the trash, before they are removed."""
        return await self.executor.affected(
            _SOFT_DELETE_MANY, conversation_ids=conversation_ids, now=now
        )

    async def subtract_prompts(
        self,
        *,
        conversation_id: UUID,
        active_sequence: int | None,
        message_count: int,
        token_count: int,
        cost: Decimal,
        now: datetime,
    ) -> int:
        """Take prompts out of the totals of a conversation that is locked."""
        return await self.executor.affected(
            _SUBTRACT_PROMPTS,
            conversation_id=conversation_id,
            active_sequence=active_sequence,
            message_count=message_count,
            token_count=token_count,
            cost=cost,
            now=now,
        )

    async def update_active(self, *, conversation_id: UUID, active_sequence: int | None) -> int:
        """Say which prompt the next one of a conversation follows that is live and locked."""
        return await self.executor.affected(
            _UPDATE_ACTIVE, conversation_id=conversation_id, active_sequence=active_sequence
        )

    async def update_archived(
        self, *, conversation_id: UUID, archived_at: datetime | None, now: datetime
    ) -> int:
        """Archive a conversation that is locked, or take it out of the archive."""
        return await self.executor.affected(
            _UPDATE_ARCHIVED, conversation_id=conversation_id, archived_at=archived_at, now=now
        )

    async def update_details(
        self,
        *,
        conversation_id: UUID,
        title: str,
        description: str | None,
        context: Mapping[str, object],
        settings: Mapping[str, object],
        now: datetime,
    ) -> int:
        """Change what is said of a conversation that is locked."""
        return await self.executor.affected(
            _UPDATE_DETAILS,
            conversation_id=conversation_id,
            title=title,
            description=description,
            context=context,
            settings=settings,
            now=now,
        )

    async def update_owner(self, *, conversation_id: UUID, owner_id: UUID, now: datetime) -> int:
        """Give a conversation that is locked to another owner."""
        return await self.executor.affected(
            _UPDATE_OWNER, conversation_id=conversation_id, owner_id=owner_id, now=now
        )

    async def update_status(
        self, *, conversation_id: UUID, conversation_status: str, now: datetime
    ) -> int:
        """Change the status of a conversation that is locked."""
        return await self.executor.affected(
            _UPDATE_STATUS,
            conversation_id=conversation_id,
            conversation_status=conversation_status,
            now=now,
        )

    async def update_totals(
        self, *, conversation_id: UUID, message_count: int, token_count: int, cost: Decimal
    ) -> int:
        """Write the totals of a conversation anew, as they were summed."""
        return await self.executor.affected(
            _UPDATE_TOTALS,
            conversation_id=conversation_id,
            message_count=message_count,
            token_count=token_count,
            cost=cost,
        )
