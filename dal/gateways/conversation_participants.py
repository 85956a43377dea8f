"""The table conversation_participants. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import attrs

from dal.records.conversations import Participant, ParticipantRow
from dal.session import Executor
from dal.statements import house

__all__ = ["ConversationParticipantsGateway"]

_DELETE_BY_CONVERSATION = house().affected("conversation_participants/delete_by_conversation")
_DELETE_BY_USER = house().affected("conversation_participants/delete_by_user")
_DELETE_MANY = house().affected("conversation_participants/delete_many")
_DELETE_ONE = house().affected("conversation_participants/delete_one")
_INSERT = house().affected("conversation_participants/insert")
_INSERT_MANY = house().bulk("conversation_participants/insert_many")
_LIST_BY_CONVERSATION = house().many("conversation_participants/list_by_conversation", Participant)
_LOCK_ONE = house().find("conversation_participants/lock_one", ParticipantRow)
_UPDATE_PINNED = house().affected("conversation_participants/update_pinned")
_UPDATE_READ = house().affected("conversation_participants/update_read")
_UPDATE_ROLE = house().affected("conversation_participants/update_role")


@attrs.frozen(slots=True)
class ConversationParticipantsGateway:
    """A method per file of ``sql/conversation_participants/``."""

    executor: Executor

    async def delete_by_conversation(self, *, conversation_id: UUID) -> int:
        """Take all participants out of a conversation that is locked, in the trash."""
        return await self.executor.affected(
            _DELETE_BY_CONVERSATION, conversation_id=conversation_id
        )

    async def delete_by_user(self, *, user_id: UUID, limit_rows: int) -> int:
        """Take a user out of conversations of others."""
        return await self.executor.affected(_DELETE_BY_USER, user_id=user_id, limit_rows=limit_rows)

    async def delete_many(self, *, conversation_ids: Sequence[UUID]) -> int:
        """Take everybody out of conversations that are locked, in a trash."""
        return await self.executor.affected(_DELETE_MANY, conversation_ids=conversation_ids)

    async def delete_one(self, *, conversation_id: UUID, user_id: UUID) -> int:
        """Take a participant out of a conversation that is locked."""
        return await self.executor.affected(
            _DELETE_ONE, conversation_id=conversation_id, user_id=user_id
        )

    async def insert(
        self,
        *,
        conversation_id: UUID,
        user_id: UUID,
        participant_role: str,
        can_write: bool,
        can_share: bool,
        added_by: UUID,
        now: datetime,
    ) -> int:
        """Add a participant to a conversation; both are locked."""
        return await self.executor.affected(
            _INSERT,
            conversation_id=conversation_id,
            user_id=user_id,
            participant_role=participant_role,
            can_write=can_write,
            can_share=can_share,
            added_by=added_by,
            now=now,
        )

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Add participants to conversations that were just inserted; the users are locked."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def list_by_conversation(
        self,
        *,
        conversation_id: UUID,
        actor_id: UUID | None,
        actor_is_system: bool,
        after_user_id: UUID,
        limit_rows: int,
    ) -> list[Participant]:
        """Page through the live participants of a live conversation, the oldest account first."""
        return await self.executor.many(
            _LIST_BY_CONVERSATION,
            conversation_id=conversation_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            after_user_id=after_user_id,
            limit_rows=limit_rows,
        )

    async def lock_one(self, *, conversation_id: UUID, user_id: UUID) -> ParticipantRow | None:
        """Lock a participant of a conversation that is locked, before they are changed."""
        return await self.executor.find(_LOCK_ONE, conversation_id=conversation_id, user_id=user_id)

    async def update_pinned(self, *, conversation_id: UUID, actor_id: UUID, is_pinned: bool) -> int:
        """Pin a live conversation that the actor takes part in, or let it go."""
        return await self.executor.affected(
            _UPDATE_PINNED, conversation_id=conversation_id, actor_id=actor_id, is_pinned=is_pinned
        )

    async def update_read(
        self, *, conversation_id: UUID, actor_id: UUID, sequence_number: int, now: datetime
    ) -> int:
        """Say up to which prompt the actor has read a live conversation; it never goes back."""
        return await self.executor.affected(
            _UPDATE_READ,
            conversation_id=conversation_id,
            actor_id=actor_id,
            sequence_number=sequence_number,
            now=now,
        )

    async def update_role(
        self,
        *,
        conversation_id: UUID,
        user_id: UUID,
        participant_role: str,
        can_write: bool,
        can_share: bool,
        now: datetime,
    ) -> int:
        """Give a participant another role, with its permissions."""
        return await self.executor.affected(
            _UPDATE_ROLE,
            conversation_id=conversation_id,
            user_id=user_id,
            participant_role=participant_role,
            can_write=can_write,
            can_share=can_share,
            now=now,
        )
